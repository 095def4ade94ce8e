/** Listening sockets that another process made: what they are, and what they lack. */
import { SystemError } from "../../libc.ts";
import { nameOf, type TcpName, type UnixName } from "../socket-address.ts";
import {
  getOption,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  setCloseOnExec,
  setNonBlocking,
  SOCK_STREAM,
  system,
  TCP_NODELAY,
  tryOption,
} from "../socket-options.ts";

export interface InheritedSocket {
  readonly name: TcpName | UnixName;
  /** Whether it listens; false for a socket that is bound only. */
  readonly listening: boolean;
  readonly reusePort: boolean;
  readonly v6only: boolean;
}

/** Answers null for what isn't a bound TCP or unix stream socket, or not even open. */
export function inspectSocket(fd: number): InheritedSocket | null {
  try {
    const name = nameOf(fd);
    if (name === null || getOption(fd, system.socketLevel, system.socketType) !== SOCK_STREAM)
      return null;
    const isOn = (level: number, option: number) => getOption(fd, level, option) !== 0;
    const tcp = name.type === "tcp";
    return {
      name,
      listening: isOn(system.socketLevel, system.acceptsConnections),
      reusePort: tcp && isOn(system.socketLevel, system.reusePort),
      v6only: tcp && name.family === 6 && isOn(IPPROTO_IPV6, system.v6only),
    };
  } catch (error) {
    const absent = ["EBADF", "ENOTSOCK", "ENOPROTOOPT", "EOPNOTSUPP", "EINVAL"];
    if (error instanceof SystemError && absent.includes(error.code)) return null;
    throw error;
  }
}

/** Gives the socket what sockets of our own have from their first moment. */
export function prepareInherited(fd: number, { name }: InheritedSocket): void {
  setCloseOnExec(fd);
  setNonBlocking(fd);
  // Accepted sockets inherit it.
  if (name.type === "tcp") tryOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}
