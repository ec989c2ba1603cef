import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A resource of a hospital, as its file holds it: exact text, so that decimals keep their digits. */
interface Kept {
  readonly type: string;
  readonly id: string;
  readonly text: string;
  readonly patient: string | undefined;
  readonly identifiers: readonly string[];
}

/** Where the service listens. With `tls` it speaks HTTPS, and lets in nobody without a certificate of its `ca`. */
export interface FhirServiceDoor {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca: string };
  /** Whether a request may ask at all, by its headers; everyone may where absent. */
  readonly admits?: (headers: IncomingMessage['headers']) => boolean;
}

const DEFAULT_PAGE = 20;
const LARGEST_PAGE = 200;
/** What every patient search of this service may name. */
const PARAMETERS: ReadonlySet<string> = new Set(['patient', 'identifier', '_count', '_offset']);

/**
 * A hospital's own FHIR R4 service over a folder of resources: search by patient or identifier with pages, and read. It is what a
 * node of the demonstration asks where a source is `fetch`; it shares nothing with our FHIR edge.
 */
export class FolderFhirService {
  private constructor(
    private readonly server: Server,
    private readonly kept: readonly Kept[],
    private readonly door: FhirServiceDoor,
  ) {}

  static async start(folder: string, door: FhirServiceDoor): Promise<FolderFhirService> {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
    const kept = await Promise.all(names.map(async (name) => keptOf(await readFile(join(folder, name), 'utf8'))));
    const server = door.tls === undefined ? createServer() : createTlsServer({ ...door.tls, requestCert: true, rejectUnauthorized: true });
    const service = new FolderFhirService(server, kept, door);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => service.admit(request, response));
    server.listen(door.port, door.host);
    await once(server, 'listening');
    return service;
  }

  get baseUrl(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `${this.door.tls === undefined ? 'http' : 'https'}://${address}:${port}/fhir`;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private admit({ headers, url = '/', method = '' }: IncomingMessage, response: ServerResponse): void {
    if (this.door.admits?.(headers) === false) outcome(response, 401, 'login');
    else this.answer(new URL(url, this.baseUrl), method, response);
  }

  private answer(url: URL, method: string, response: ServerResponse): void {
    const [, root, type = '', id, ...rest] = url.pathname.split('/');
    if (method !== 'GET' || root !== 'fhir' || !/^[A-Z][A-Za-z]+$/.test(type) || rest.length > 0) {
      outcome(response, 404, 'not-found');
      return;
    }
    if (id === undefined) {
      this.search(type, url, response);
      return;
    }
    const found = this.kept.find((one) => one.type === type && one.id === id);
    if (found === undefined) outcome(response, 404, 'not-found');
    else send(response, 200, found.text);
  }

  private search(type: string, url: URL, response: ServerResponse): void {
    const { searchParams } = url;
    if ([...searchParams.keys()].some((name) => !PARAMETERS.has(name))) {
      outcome(response, 400, 'not-supported');
      return;
    }
    const [patient, identifier] = [searchParams.get('patient'), searchParams.get('identifier')];
    if (patient === null && identifier === null) {
      outcome(response, 400, 'required');
      return;
    }
    const matches = this.kept.filter(
      (one) =>
        one.type === type && (patient === null || one.patient === patient) && (identifier === null || one.identifiers.includes(identifier)),
    );
    const count = Math.min(LARGEST_PAGE, Number(searchParams.get('_count') ?? DEFAULT_PAGE) || DEFAULT_PAGE);
    const offset = Number(searchParams.get('_offset') ?? 0) || 0;
    send(response, 200, this.page(matches, url, offset, count));
  }

  private page(matches: readonly Kept[], url: URL, offset: number, count: number): string {
    const shown = matches.slice(offset, offset + count);
    const more = new URL(url);
    more.searchParams.set('_offset', String(offset + count));
    const links = [{ relation: 'self', url: url.href }, ...(offset + count < matches.length ? [{ relation: 'next', url: more.href }] : [])];
    const entries = shown.map(
      ({ type, id, text }) => `{"fullUrl":${JSON.stringify(`${this.baseUrl}/${type}/${id}`)},"resource":${text},"search":{"mode":"match"}}`,
    );
    const head = `"resourceType":"Bundle","type":"searchset","total":${matches.length},"link":${JSON.stringify(links)}`;
    return entries.length === 0 ? `{${head}}` : `{${head},"entry":[${entries.join(',')}]}`;
  }
}

function keptOf(text: string): Kept {
  const resource = JSON.parse(text) as {
    resourceType: string;
    id: string;
    subject?: { reference?: string };
    patient?: { reference?: string };
    identifier?: readonly { system?: string; value?: string }[];
  };
  const { resourceType: type, id, subject, patient } = resource;
  const identifiers = Array.isArray(resource.identifier)
    ? resource.identifier.map(({ system = '', value = '' }) => `${system}|${value}`)
    : [];
  return { type, id, text, patient: subject?.reference ?? patient?.reference, identifiers };
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/fhir+json; charset=utf-8' }).end(text);
}

function outcome(response: ServerResponse, status: number, code: string): void {
  send(response, status, JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] }));
}
