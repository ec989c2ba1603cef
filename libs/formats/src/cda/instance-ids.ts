/** What a root of an instance identifier, or the name of a code system, can be (HL7 v3 UID): an object identifier or a UUID. */
export const OID = /^[0-2](\.(0|[1-9]\d*))+$/;
export const UUID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;
/** RFC 3986, as far as it tells a URI from other names. */
export const URI = /^[a-z][a-z0-9+.-]*:[^\s<>"]+$/i;
/** HL7's object identifier of RFC 3986: the extension is a URI. */
export const URI_ROOT = '2.16.840.1.113883.4.873';
