import { errors } from 'oidc-provider';

/**
 * What of `asked` the client is granted: all of it, or `invalid_scope` naming what it may not have (RFC 6749 section
 * 5.2). A smaller grant than asked for would show only later, as refusals of the API.
 */
export function grantScopes(asked: string | undefined, allowed: readonly string[]): readonly string[] {
  const wanted = (asked ?? '').split(' ').filter((scope) => scope !== '' && scope !== 'openid');
  const refused = wanted.filter((scope) => !allowed.includes(scope));
  if (refused.length > 0) throw new errors.InvalidScope('requested scope is not allowed', refused.join(' '));
  return wanted;
}
