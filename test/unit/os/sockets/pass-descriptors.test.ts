/** Descriptors through a pair of sockets, within one process: what comes out stands for what went in. */
import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, fstatSync, openSync } from "node:fs";
import {
  createSocketPair,
  moveDescriptor,
  mostPassed,
  passDescriptors,
  receiveDescriptors,
} from "../../../../src/os/sockets/pass-descriptors.ts";

const folders = ["/proc", "/tmp", "/dev", "/usr", "/etc"];
const sent = folders.map((path) => openSync(path, "r"));
afterAll(() => sent.forEach((fd) => closeSync(fd)));

const inode = (fd: number) => `${fstatSync(fd).dev}:${fstatSync(fd).ino}`;

describe.skipIf(process.platform !== "linux")("descriptors pass", () => {
  test.each([1, 2, 3, 5, mostPassed])("%i of them, in their order", (count) => {
    const fds = Array.from({ length: count }, (_, index) => sent[index % sent.length] as number);
    const [near, far] = createSocketPair();
    try {
      passDescriptors(near, fds);
      const received = receiveDescriptors(far, count);
      expect(received.map(inode)).toEqual(fds.map(inode));
      for (const fd of received) closeSync(fd);
    } finally {
      closeSync(near);
      closeSync(far);
    }
  });

  test("and fewer than were said are an error", () => {
    const [near, far] = createSocketPair();
    try {
      passDescriptors(near, sent.slice(0, 2));
      expect(() => receiveDescriptors(far, 4)).toThrow(
        "4 descriptors were passed, and 2 have come",
      );
      // Nothing waits, and nobody waits for it.
      expect(() => receiveDescriptors(far, 1)).toThrow("[Errno 11]");
    } finally {
      closeSync(near);
      closeSync(far);
    }
  });

  test("and a channel without a peer refuses them, without a signal", () => {
    const [near, far] = createSocketPair();
    closeSync(far);
    expect(() => passDescriptors(near, sent.slice(0, 1))).toThrow("[Errno 32]");
    closeSync(near);
  });

  test("and one takes the number of another", () => {
    const [near, far] = createSocketPair();
    passDescriptors(near, sent.slice(0, 1));
    const [fd] = receiveDescriptors(far, 1);
    moveDescriptor(fd as number, far);
    expect(inode(far)).toBe(inode(sent[0] as number));
    closeSync(near);
    closeSync(far);
  });
});
