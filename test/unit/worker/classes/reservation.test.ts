/** A websocket whose client hasn't taken yet what comes before its handshake's answer. */
import { expect, test } from "bun:test";
import { nativeServe } from "../../../../src/app/capture.ts";
import { InnerServer } from "../../../../src/app/websocket/inner-server.ts";
import { listenPrivately } from "../../../../src/os/sockets/private-socket.ts";
import { Reservation } from "../../../../src/worker/classes/reservation.ts";
import { Tunnel } from "../../../../src/worker/connection/tunnel.ts";
import { FakeWire } from "../../../support/fake-wire.ts";

const server = new InnerServer(nativeServe, { message() {} }, listenPrivately);
const offer = { key: "dGhlIHNhbXBsZSBub25jZQ==", protocols: null, extensions: null };

const deadlines = {
  headTicks: 1,
  bodyTicks: 1,
  writeTicks: 5,
  keepAliveTicks: 1,
  lingerTicks: 3,
  graceTicks: 1,
  probe: { unsentBytes: () => -1, peerHasEnded: () => false },
};

function tunnelOf(client: FakeWire): Tunnel {
  const first = Buffer.alloc(0);
  return new Tunnel({ client, first, ended: false, deadlines, answered: () => {} });
}

test("what its socket sends meanwhile isn't read but for the first piece, and then all of it", () => {
  const reservation = new Reservation(server, offer);
  const inner = new FakeWire(null);
  reservation.opened(inner);
  expect(inner.paused).toBe(false);
  reservation.innerReceive(Buffer.from("101 "));
  expect(inner.paused).toBe(true);
  const client = new FakeWire();
  reservation.giveTo(tunnelOf(client));
  expect([client.text, inner.paused]).toEqual(["101 ", false]);
});

test("a client that takes but a part leaves it unread", () => {
  const reservation = new Reservation(server, offer);
  const inner = new FakeWire(null);
  reservation.opened(inner);
  reservation.innerReceive(Buffer.from("101 "));
  const client = new FakeWire();
  client.room = 2;
  reservation.giveTo(tunnelOf(client));
  expect([client.text, inner.paused]).toEqual(["10", true]);
});

test("one that has sent nothing yet goes on being read", () => {
  const reservation = new Reservation(server, offer);
  const inner = new FakeWire(null);
  reservation.opened(inner);
  reservation.giveTo(tunnelOf(new FakeWire()));
  expect(inner.did).toEqual([]);
});
