import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { ownListeners } from "../../../../../src/os/sockets/listening/own-listeners.ts";

const onLinux = process.platform === "linux";

// The tables of a busy machine are long.
setDefaultTimeout(60_000);

describe.if(onLinux)("ownListeners()", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["::1", "[::1]"],
    ["::", "[::]"],
  ])("knows a socket at %s", (hostname, shown) => {
    const before = ownListeners([]);
    const server = Bun.listen({ hostname, port: 0, socket: { data() {} } });
    const address = `${shown}:${server.port}`;
    expect(ownListeners([]).filter((each) => !before.includes(each))).toEqual([address]);
    server.stop(true);
    expect(ownListeners([])).not.toContain(address);
  });

  test("leaves out what was inherited, and clients", async () => {
    using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const { fd } = server as unknown as { fd: number };
    const client = await Bun.connect({
      hostname: "127.0.0.1",
      port: server.port,
      socket: { data() {} },
    });
    expect(ownListeners([fd])).not.toContain(`127.0.0.1:${server.port}`);
    expect(ownListeners([]).filter((each) => each.endsWith(`:${server.port}`))).toHaveLength(1);
    client.end();
  });

  test("knows nothing of a descriptor that isn't there, and doesn't throw", () => {
    expect(ownListeners([987_654])).toEqual([]);
  });
});
