import { walkCodeFlow } from '@portolan/openid/walk';

/** The command line's own registration at each demonstration provider; nobody listens at its redirect address. */
const APP = { clientId: 'portolan-cli', redirectUri: 'http://127.0.0.1/portolan/callback', scope: 'openid portal' } as const;

/** Bearer token of a person, a regulator or an operator, through the demonstration provider's real pages. */
export async function demoLogin(issuer: string, accountId: string): Promise<string> {
  return (await walkCodeFlow({ ...APP, issuer, accountId })).accessToken;
}
