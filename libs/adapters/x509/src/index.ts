export { X509Authorities, X509Authority } from './authority.js';
export { daysLeft, describeCertificate, partnerOfCertificate, type CertificateSummary } from './certificate.js';
export { verifyChain, type ChainCheck } from './chain.js';
export type { ChannelMember, MemberKind } from './channel-member.js';
export { exportPkcs12, importPkcs12, type KeyWithChain } from './pkcs12.js';
export { openPkcs12, writePkcs12, type Pkcs12Options } from './pkcs12-file.js';
export { createRequest, isHost, judgeRequest, readRequest } from './request.js';
export { readRevocations, type RevocationList } from './revocation.js';
