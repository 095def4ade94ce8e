import { moveDescriptor, receiveDescriptors } from "../os/sockets/pass-descriptors.ts";
import type { BootMessage } from "./messages.ts";

/**
 * The boot message as it holds in this process: where descriptors have come by a socket, with the numbers that they have got. The
 * scoreboard takes the place of the socket. Throws SystemError.
 */
export function takeDescriptors(boot: BootMessage): BootMessage {
  const { passedBy } = boot;
  if (passedBy === null) return boot;
  const fds = receiveDescriptors(passedBy, boot.listeners.length + 1);
  const [scoreboard, ...sockets] = fds as [number, ...number[]];
  moveDescriptor(scoreboard, passedBy);
  const listeners = boot.listeners.map((each, index) => ({
    ...each,
    fd: sockets[index] as number,
  }));
  return { ...boot, listeners, scoreboardFd: passedBy };
}
