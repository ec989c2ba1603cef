import { TcpContext } from '@nestjs/microservices';
import { PortolanError } from '@portolan/contracts';
import { roles, type Role } from '@portolan/domain';
import type { TLSSocket } from 'node:tls';
import type { CallerContext } from './in-process.js';

/** Which role of our own node is calling: by its certificate over TCP, by the hub in one process. */
export function callerOf(context: TcpContext | CallerContext): Role {
  const role = context instanceof TcpContext ? certificateRole(context) : context.caller;
  if (role === undefined) throw new PortolanError('link.not-for-you', 'link/caller');
  return role;
}

/** Certificates of the internal authority name role and country: `CN=<role> <CC>`. */
function certificateRole(context: TcpContext): Role | undefined {
  const socket = context.getSocketRef().netSocket as unknown as Partial<TLSSocket>;
  const common = socket.getPeerCertificate?.().subject.CN;
  const name = (Array.isArray(common) ? common[0] : common)?.split(' ')[0];
  return roles.find((role) => role === name);
}
