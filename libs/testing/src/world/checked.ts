import type { CheckedWorld } from '../checker/index.js';
import { REGULATOR } from './provision-world.js';
import type { World } from './world.js';

/** What the checker is told of a world: where its databases, folders and ledger lie, and which texts must stand on no ledger. */
export async function checkedWorld(world: World, canaries: readonly string[]): Promise<CheckedWorld> {
  const { orderer } = world.provisioned;
  if (orderer === undefined) {
    const { engines } = world;
    return { countries: countriesOf(world, (code) => engines.database(code).admin), ledger: fabricOf(world), canaries };
  }
  const admin = await world.cluster.start();
  const { database, genesis } = orderer.config;
  return {
    countries: countriesOf(world, () => admin),
    ledger: { kind: 'embedded', orderer: { org: REGULATOR, database: database.name, admin }, genesis },
    canaries,
  };
}

type Checked = CheckedWorld['countries'][number];

const countriesOf = ({ provisioned }: World, adminOf: (code: string) => Checked['admin']): Checked[] =>
  [...provisioned.countries].map(([code, { config }]) => ({
    code,
    database: config.database.name,
    home: config.home,
    admin: adminOf(code),
  }));

function fabricOf({ engines, provisioned }: World): CheckedWorld['ledger'] {
  const codes = [...provisioned.countries.keys()];
  return { kind: 'fabric', blocksOf: Object.fromEntries(codes.map((code) => [code, engines.fabric.blocksOf(code)])) };
}
