import { closeSync, fstatSync, readSync } from "node:fs";
import { expect, test } from "bun:test";
import { createAnonymousMemory, mapShared } from "../../../src/os/shared-memory.ts";

const bytes = 1024 * 1024;
/** stat(2): of st_blocks. */
const blockBytes = 512;

test.if(process.platform === "linux")(
  "createAnonymousMemory() has room for all of it, all 0, and maps of it are one memory",
  () => {
    const fd = createAnonymousMemory(bytes);
    if (fd === null) throw new Error("no memory without a file");
    try {
      const { size, blocks } = fstatSync(fd);
      expect(size).toBe(bytes);
      // A hole would get its blocks when it is touched, which may end the process.
      expect(blocks * blockBytes).toBeGreaterThanOrEqual(bytes);
      const read = Buffer.alloc(bytes, 1);
      expect(readSync(fd, read, 0, bytes, 0)).toBe(bytes);
      expect(read.equals(Buffer.alloc(bytes))).toBe(true);
      const [one, other] = [mapShared(fd, bytes), mapShared(fd, bytes)];
      new Uint8Array(one)[bytes - 1] = 7;
      expect(new Uint8Array(other)[bytes - 1]).toBe(7);
    } finally {
      closeSync(fd);
    }
  },
);
