/*
 * The SDK logs to the console, whose lines would carry texts that came from outside. It asks for its logger once, as its modules are loaded, from this
 * place (fabric-common, lib/Utils.js, `getLogger`); so this file is imported before it. What fails comes back as an error anyway.
 */
const silent = (): void => undefined;

Object.assign(globalThis, { hfc: { logger: { debug: silent, info: silent, warn: silent, error: silent } } });
