import { expect, test } from "bun:test";
import { performOnSockets } from "../../../../src/arbiter/act/socket-actions.ts";
import { onLinux, openListeners, portOf } from "../../../support/listeners.ts";
import { RawClient } from "../../../support/raw-client.ts";

// Of the class `serve`, say.
const alone = { shared: false, freesAccepted: true };

test.if(onLinux)("handshakes are looked for where steering leaves a slot out", async () => {
  const listeners = await openListeners(["127.0.0.1:0"], 2, { deferred: true });
  const steered = (count: number) =>
    performOnSockets({ do: "steer", count }, listeners, alone) as { handshakes?: boolean };
  expect(steered(1)).toMatchObject({ type: "steered", count: 1, refused: null, handshakes: false });
  using silent = new DisposableStack();
  silent.use(await RawClient.connect(portOf(listeners)));
  expect(steered(2)).toMatchObject({ type: "steered", count: 2, refused: null, handshakes: false });
  expect(steered(1).handshakes).toBe(true);
  // Asked again.
  expect(steered(1).handshakes).toBe(true);
  // More get connections than before, and one is left out still.
  listeners.addSlot();
  expect(steered(2).handshakes).toBe(true);
  expect(steered(3).handshakes).toBe(false);
});
