import { expect, test } from "bun:test";
import { endsAtOnce } from "../../../../src/worker/tls/closing.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

test("endsAtOnce() says close_notify, and closes without waiting for the client", () => {
  const wire = new FakeWire();
  const secure = Object.assign(wire, { close: () => void wire.did.push("close") });
  endsAtOnce(secure);
  secure.end();
  expect(wire.did).toEqual(["shutdown", "close"]);
});
