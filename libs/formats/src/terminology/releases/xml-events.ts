import { PortolanError } from '@portolan/contracts';
import { SaxesParser } from 'saxes';
import { wrong, type ReleaseFile } from './release.js';

/** An element as it opens. */
export interface XmlTag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What is heard of a document; `place` is `file:line`. */
export interface XmlListener {
  open?(tag: XmlTag, place: string): void;
  close?(name: string, place: string): void;
  text?(text: string): void;
}

const MAX_DEPTH = 100;

/**
 * Reads XML in pieces and tells the listener. Nothing outside of the document is ever loaded; an entity that XML itself does not define is a mistake
 * (a DOCTYPE is passed over). Throws `terms.release-invalid` with the line, `terms.release-too-large` for what is nested too deeply.
 */
export async function readXml(file: ReleaseFile, listener: XmlListener): Promise<void> {
  const parser = new SaxesParser({ xmlns: false, position: true });
  const at = (): string => `${file.name}:${parser.line}`;
  let depth = 0;
  let failure: Error | undefined;
  const guarded = (act: () => void): void => {
    if (failure !== undefined) return;
    try {
      act();
    } catch (error) {
      failure = error instanceof Error ? error : wrong(at(), 'is wrong');
    }
  };
  parser.on('opentag', ({ name, attributes }) =>
    guarded(() => {
      depth += 1;
      if (depth > MAX_DEPTH) throw new PortolanError('terms.release-too-large', at(), `nested deeper than ${MAX_DEPTH}`);
      listener.open?.({ name, attributes }, at());
    }),
  );
  parser.on('closetag', ({ name }) =>
    guarded(() => {
      depth -= 1;
      listener.close?.(name, at());
    }),
  );
  parser.on('text', (text) => guarded(() => listener.text?.(text)));
  parser.on('cdata', (text) => guarded(() => listener.text?.(text)));
  parser.on('error', () => guarded(() => wrongXml(at())));
  for await (const piece of file.text) {
    guarded(() => void parser.write(piece));
    if (failure !== undefined) throw failure;
  }
  guarded(() => void parser.close());
  if (failure !== undefined) throw failure;
}

function wrongXml(place: string): never {
  throw wrong(place, 'not well-formed XML');
}
