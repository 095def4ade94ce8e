/**
 * A classic BPF program on a group of listening sockets says who gets a new connection. Linux only; needs no
 * capability.
 */
import { constants } from "node:os";
import { ptr } from "bun:ffi";
import { lastError, library, SystemError } from "../../libc.ts";
import { onLinux, system } from "../socket-options.ts";

const LINUX_SO_ATTACH_REUSEPORT_CBPF = 51;

/** SKF_AD_OFF + SKF_AD_RANDOM. */
const randomNumber = 0xfffff038;
/** SKF_NET_OFF: where the network header begins. */
const networkHeader = 0xfff00000;

/**
 * How many of a client's source ports in a row are one socket's, if all get the same. Linux takes the next port 2 to 16
 * further on (inet_hash_connect), 9 in the mean, so that most connections of a burst come to another socket than the one
 * before: the busiest of 4 gets 1.25 times the mean of 16 in the median, and 1.5 times by chance.
 */
const portsEach = 10;

/** Places between two ports: shares are finer than ports, and a connection's place between them is chance. */
const placesEach = 256;

/** One `struct sock_filter`: code, jt, jf, k. */
type Instruction = readonly [code: number, jt: number, jf: number, k: number];

/**
 * Sends new connections of the fd's SO_REUSEPORT group to its first sockets, in the order in which they began to listen.
 * Answers why the system refuses; null when it is done.
 *
 * By the source port, in turns, or by chance where there is none at its place. Not by SKF_AD_RXHASH: network devices that
 * compute no hash leave 0 there, and one socket would get everything. A handshake that began stays with its socket, so no
 * packet needs to land twice alike, and a program may take another's place at any time.
 * @param shares what part each gets, as numbers from 0 on whose sum is above 0
 * @param random from 0 to 1: where the turns begin, so that a client that always comes from one port doesn't always come
 *   to one socket
 */
export function steerReuseport(
  fd: number,
  shares: readonly number[],
  random = Math.random,
): SystemError | null {
  const program = programOf(shares, random());
  if (!onLinux) return new SystemError(constants.errno.ENOTSUP, "setsockopt");
  return attachProgram(fd, LINUX_SO_ATTACH_REUSEPORT_CBPF, program);
}

function programOf(shares: readonly number[], phase: number): readonly Instruction[] {
  const sum = shares.reduce((total, share) => total + share, 0);
  if (!(sum > 0) || shares.some((share) => share < 0)) {
    throw new RangeError(`shares must be numbers from 0 on, and not all 0, got [${shares}]`);
  }
  const places = shares.length * portsEach * placesEach;
  const out: Instruction[] = [
    [0x20, 0, 0, randomNumber], // ld random
    [0x02, 0, 0, 0], // st M[0]
    [0x30, 0, 0, networkHeader], // ldb version and header length
    [0x74, 0, 0, 4], // rsh #4
    [0x15, 0, 3, 4], // jeq #4, else to IPv6
    [0xb1, 0, 0, networkHeader], // ldx 4 * (header length)
    [0x48, 0, 0, networkHeader], // ldh source port behind it
    [0x05, 0, 0, 4], // ja to the place
    [0x15, 0, 9, 6], // jeq #6, else by chance
    [0x30, 0, 0, networkHeader + 6], // ldb next header
    [0x15, 0, 7, 6], // jeq #6 (TCP), else by chance
    [0x28, 0, 0, networkHeader + 40], // ldh source port
    [0x24, 0, 0, placesEach], // mul #places between two ports
    [0x07, 0, 0, 0], // tax
    [0x60, 0, 0, 0], // ld M[0]
    [0x54, 0, 0, placesEach - 1], // and #places - 1
    [0x0c, 0, 0, 0], // add x
    [0x05, 0, 0, 1], // ja over the next
    [0x60, 0, 0, 0], // ld M[0]: by chance
    [0x04, 0, 0, Math.floor(phase * places)], // add #phase
    [0x94, 0, 0, places], // mod #places
  ];
  let before = 0;
  const last = shares.findLastIndex((share) => share > 0);
  for (const [index, share] of shares.slice(0, last).entries()) {
    before += share;
    if (share === 0) continue;
    out.push([0x35, 1, 0, Math.round((before / sum) * places)]); // jge #end of the share, over the next
    out.push([0x06, 0, 0, index]); // ret #index
  }
  out.push([0x06, 0, 0, last]);
  return out;
}

function attachProgram(
  fd: number,
  option: number,
  program: readonly Instruction[],
): SystemError | null {
  const filters = new Uint8Array(program.length * 8);
  const view = new DataView(filters.buffer);
  for (const [index, [code, jt, jf, k]] of program.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  }
  // struct sock_fprog { unsigned short len; struct sock_filter *filter; }
  const header = new Uint8Array(16);
  const headerView = new DataView(header.buffer);
  headerView.setUint16(0, program.length, true);
  headerView.setBigUint64(8, BigInt(ptr(filters)), true);
  const { setsockopt } = library();
  const result = setsockopt(fd, system.socketLevel, option, ptr(header), header.byteLength);
  return result < 0 ? lastError("setsockopt") : null;
}
