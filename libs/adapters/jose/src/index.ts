export * from './issue.js';
export { JoseSealer } from './jose-sealer.js';
export { ExternalKeySigner, JoseSigner } from './jose-signer.js';
export { JwtAccessTokens, type JwtAccessTokensConfig, type TrustedIssuer } from './jwt-access-tokens.js';
export { JwtProfessionalAssertions, type JwtProfessionalAssertionsConfig, type RegisteredClient } from './jwt-professional-assertions.js';
export type { Fetch, KeySource } from './jwks.js';
export { SealingPool, type SealingPoolOptions } from './pool/sealing-pool.js';
export { plainJose, type PlainJose, type PlainKeys } from './plain-jose.js';
