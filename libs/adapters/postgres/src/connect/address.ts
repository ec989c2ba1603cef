/** Where one database user finds its database. TLS is asked for whenever `tls` is given, and the server is then verified. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly tls?: {
    /** PEM certificates of the authority that the server's certificate must come from. */
    readonly ca: string;
    /** PEM client certificate and key, where the server asks for one. */
    readonly cert?: string;
    readonly key?: string;
  };
}

/** What `pg` wants to hear of an address; no connection waits longer than 10 s for its server. */
export function clientOptions(address: DatabaseAddress): {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  ssl: { ca: string; cert?: string; key?: string; rejectUnauthorized: true } | false;
  connectionTimeoutMillis: number;
} {
  const { host, port, database, user, password, tls } = address;
  return {
    host,
    port,
    database,
    user,
    password,
    ssl: tls === undefined ? false : { ...tls, rejectUnauthorized: true },
    connectionTimeoutMillis: 10_000,
  };
}
