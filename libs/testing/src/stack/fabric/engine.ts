import { installed } from '../installed.js';

/** What a network runs with, as `tools/engines/fabric/install.mjs` prints it. */
export interface FabricEngine {
  /** Folder of programs, each checked against the sum of what was built. */
  readonly bin: string;
  /** Folder of Fabric's sample `core.yaml` and `orderer.yaml`. */
  readonly config: string;
  readonly version: string;
}

/** Fabric, built into the user's cache where it is not there yet; what is absent where the machine lacks Go. */
export const fabricEngine = (say?: (text: string) => void): Promise<FabricEngine | { readonly absent: string }> => installed('fabric', say);
