import { PortolanError, type Instant } from '@portolan/contracts';
import * as messages from './messages.js';
import { decode, type Message } from './wire.js';

/** Largest envelope, in bytes; a head of a thousand batches has about a third of a million. */
export const envelopeBytes = 3_000_000;

/** An endorsed transaction of a Fabric channel, decoded; nothing of it is verified yet. */
export interface FabricTransaction {
  /** What the creator signed: the exact bytes of the common.Payload. */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly channelHeader: Uint8Array;
  readonly channel: Message<typeof messages.channelHeader>;
  /** The channel header's timestamp, as the chaincode sees it. */
  readonly time: Instant;
  readonly signatureHeader: Uint8Array;
  /** The SerializedIdentity as it stands. */
  readonly creator: Uint8Array;
  readonly nonce: Uint8Array;
  /** Chaincodes named by the channel header, by the proposal, and by the endorsers. */
  readonly chaincodes: readonly string[];
  /** Header of the one action. */
  readonly actionHeader: Uint8Array;
  readonly proposal: Uint8Array;
  readonly args: readonly Uint8Array[];
  /** What the endorsers signed: the exact bytes of the ProposalResponsePayload. */
  readonly response: Uint8Array;
  readonly proposalHash: Uint8Array;
  readonly status: number;
  /** The TxReadWriteSet as it stands. */
  readonly results: Uint8Array;
  readonly endorsements: readonly { readonly endorser: Uint8Array; readonly signature: Uint8Array }[];
}

/** An identity: MSP id, and its certificate as PEM text. */
export type FabricIdentity = Message<typeof messages.identity>;

/** Takes a common.Envelope apart, all the way down; `verify.protobuf-malformed` where something is missing, unknown or too much. */
export function readTransaction(envelope: Uint8Array): FabricTransaction {
  if (envelope.length > envelopeBytes) throw absent('Envelope is oversize');
  const { payload, signature } = decode(envelope, messages.envelope, 'Envelope');
  const { header, data } = decode(payload, messages.payload, 'Payload');
  const { channelHeader, signatureHeader } = demanded(header, 'Payload.header');
  const channel = decode(channelHeader, messages.channelHeader, 'ChannelHeader');
  const extension = decode(channel.extension, messages.headerExtension, 'ChaincodeHeaderExtension');
  const action = readAction(data);
  return {
    payload,
    signature,
    channelHeader,
    channel,
    time: instantOf(demanded(channel.timestamp, 'ChannelHeader.timestamp')),
    signatureHeader,
    ...decode(signatureHeader, messages.signatureHeader, 'SignatureHeader'),
    ...action,
    chaincodes: [demanded(extension.chaincode, 'ChaincodeHeaderExtension.chaincode').name, ...action.chaincodes],
  };
}

/** The identity that its bytes hold. */
export function readIdentity(bytes: Uint8Array): FabricIdentity {
  return decode(bytes, messages.identity, 'SerializedIdentity');
}

type Action = Pick<FabricTransaction, 'actionHeader' | 'proposal' | 'args' | 'response' | 'chaincodes' | 'endorsements'> & Endorsed;
type Endorsed = Pick<FabricTransaction, 'proposalHash' | 'status' | 'results'>;

function readAction(data: Uint8Array): Action {
  const [action] = decode(data, messages.transaction, 'Transaction').actions;
  const { header, payload } = demanded(action, 'Transaction.actions');
  const { proposal, action: endorsed } = decode(payload, messages.actionPayload, 'ChaincodeActionPayload');
  const { response, endorsements } = demanded(endorsed, 'ChaincodeActionPayload.action');
  const { called, args } = readProposal(proposal);
  const { ran, ...rest } = readResponse(response);
  return { actionHeader: header, proposal, args, response, endorsements, chaincodes: [called, ran], ...rest };
}

function readProposal(proposal: Uint8Array): { called: string; args: readonly Uint8Array[] } {
  const { input } = decode(proposal, messages.proposalPayload, 'ChaincodeProposalPayload');
  const spec = demanded(decode(input, messages.invocation, 'ChaincodeInvocationSpec').spec, 'ChaincodeInvocationSpec.spec');
  return {
    called: demanded(spec.chaincode, 'ChaincodeSpec.chaincode').name,
    args: demanded(spec.input, 'ChaincodeSpec.input').args,
  };
}

function readResponse(bytes: Uint8Array): Endorsed & { ran: string } {
  const { proposalHash, extension } = decode(bytes, messages.responsePayload, 'ProposalResponsePayload');
  const { results, response, chaincode } = decode(extension, messages.chaincodeAction, 'ChaincodeAction');
  const { status } = demanded(response, 'ChaincodeAction.response');
  return { proposalHash, results, status, ran: demanded(chaincode, 'ChaincodeAction.chaincode').name };
}

/** Milliseconds are what the channel's times have; the rest of the nanoseconds is cut off, as the chaincode does. */
function instantOf({ seconds, nanos }: { readonly seconds: number; readonly nanos: number }): Instant {
  const millis = seconds * 1000 + Math.floor(nanos / 1_000_000);
  if (nanos >= 1_000_000_000 || millis > Date.UTC(9999, 11, 31)) throw absent('ChannelHeader.timestamp');
  return new Date(millis).toISOString();
}

function demanded<T>(value: T | undefined, where: string): T {
  if (value === undefined) throw absent(where);
  return value;
}

const absent = (where: string): PortolanError => new PortolanError('verify.protobuf-malformed', where);
