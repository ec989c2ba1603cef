import { mari } from '../world/demo-people.js';
import type { World } from '../world/world.js';

/** Ready lines for a terminal: each works while the demo runs. */
export function addressesOf(world: World, view: string): string[] {
  const [ee, pt] = [world.country('EE').config, world.country('PT').config];
  const base = (door: { host: string; port: number }): string => `http://${door.host}:${door.port}`;
  const folder = world.options.folder;
  return [
    `curl -s ${base(pt.http)}/fhir/metadata`,
    `curl -sN -H "authorization: Bearer $(npx portolan token --as ${mari.id}@EE --folder ${folder})" ${base(ee.http)}/person/events`,
    `curl -s -H "authorization: Bearer $(npx portolan token --as ${mari.id}@EE --folder ${folder})" ${base(ee.http)}/person/grounds`,
    `curl -s -H "authorization: Bearer $(npx portolan token --as regulator@EE --folder ${folder})" "${base(ee.http)}/regulator/trail?limit=20"`,
    `curl -s -H "authorization: Bearer $(npx portolan token --system BE --folder ${folder})" -H "portolan-acting-professional: $(npx portolan acting --as doctor-be@BE --purpose TREAT --folder ${folder})" ${base(world.country('BE').config.http)}/fhir/${view}`,
    `login page: ${ee.openid.issuer}   HL7 v2 over MLLP: ${ee.mllp.host}:${ee.mllp.port}`,
  ];
}
