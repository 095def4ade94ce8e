/** Who is at the other end of a unix socket: what the kernel has noted when it connected. */
import { ptr } from "bun:ffi";
import { library } from "../libc.ts";
import { onDarwin, onLinux, system } from "./socket-options.ts";

export interface PeerCredentials {
  readonly uid: number;
  /** Null where the system doesn't say. */
  readonly pid: number | null;
}

const LINUX_SO_PEERCRED = 17;
/** sys/un.h: level SOL_LOCAL, option LOCAL_PEERCRED. */
const DARWIN_SOL_LOCAL = 0;
const DARWIN_LOCAL_PEERCRED = 1;

/** Null where the system doesn't say: then it is a stranger. */
export function peerCredentials(fd: number): PeerCredentials | null {
  if (onLinux) {
    // struct ucred { pid_t pid; uid_t uid; gid_t gid; }
    const words = option(fd, system.socketLevel, LINUX_SO_PEERCRED, 3);
    return words === null ? null : { pid: words[0] as number, uid: words[1] as number };
  }
  if (!onDarwin) return null;
  // struct xucred { u_int cr_version; uid_t cr_uid; short cr_ngroups; gid_t cr_groups[16]; }
  const words = option(fd, DARWIN_SOL_LOCAL, DARWIN_LOCAL_PEERCRED, 19);
  return words === null ? null : { pid: null, uid: words[1] as number };
}

function option(fd: number, level: number, name: number, count: number): Uint32Array | null {
  const words = new Uint32Array(count);
  const length = new Uint32Array([words.byteLength]);
  return library().getsockopt(fd, level, name, ptr(words), ptr(length)) < 0 ? null : words;
}
