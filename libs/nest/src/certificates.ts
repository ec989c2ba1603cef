// The certificates of a country for a tool that is no node (`portolan cert`): a light door, without Nest or a database.
import { CertificateOffice, SystemClock } from '@portolan/keys';
import { X509Authorities } from '@portolan/x509';

export {
  certificateInventory,
  CountryFolders,
  FileKeyVault,
  findPartnerIdentity,
  findTlsIdentity,
  ownEnds,
  readTlsIdentity,
  storeAdmission,
  SystemClock,
  TlsIdentityRequests,
  writeTlsIdentity,
  type AuthorityName,
  type CertificateOffice,
  type InventoryRow,
  type Issued,
  type OwnEnd,
  type Revocation,
  type TlsIdentity,
} from '@portolan/keys';
export { describeCertificate, isHost, openPkcs12, verifyChain, writePkcs12, X509Authorities } from '@portolan/x509';

/** The office of the country whose folder this is (CountryFolders). */
export const certificateOffice = (home: string): CertificateOffice =>
  new CertificateOffice({ home, authorities: new X509Authorities(), clock: new SystemClock() });
