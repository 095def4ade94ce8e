/** A handshake that waits at the inner server: what its socket sends too early, and how its upgrade fails. */
import { afterAll, describe, expect, test } from "bun:test";
import { nativeServe } from "../../../../src/app/capture.ts";
import { InnerServer } from "../../../../src/app/websocket/inner-server.ts";
import { listenPrivately } from "../../../../src/os/sockets/private-socket.ts";
import { Reservation } from "../../../../src/worker/upgrades/reservation.ts";
import { Tunnels } from "../../../../src/worker/upgrades/tunnels.ts";
import { requestOwner } from "../../../../src/http/request/request.ts";
import { Connections } from "../../../../src/worker/connection/connections.ts";
import { Tunnel } from "../../../../src/worker/upgrades/tunnel.ts";
import type { Exchange } from "../../../../src/worker/exchange/exchange.ts";
import { createRow } from "../../../../src/ipc/scoreboard.ts";
import { FakeEngine } from "../../../support/fake-engine.ts";
import { FakeWire } from "../../../support/fake-wire.ts";
import { deadlines } from "../../../support/tunnel-deadlines.ts";
import { get } from "../../../support/wire.ts";

const opened: string[] = [];
const handlers = { open: () => void opened.push("open"), message() {} };
const server = new InnerServer(nativeServe, handlers, listenPrivately);
afterAll(() => server.server.stop(true));
const offer = { key: "dGhlIHNhbXBsZSBub25jZQ==", protocols: null, extensions: null };

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

const tunnels = new Tunnels(new Connections(createRow()), deadlines, {
  error: (message: string) => expect(message).toBe(""),
} as never);

describe("accept()", () => {
  /** Its handshake has been read. */
  async function ready(): Promise<Reservation> {
    const reservation = new Reservation(server, offer);
    tunnels.open(server.path, reservation);
    expect(await reservation.ready).toBe("read");
    opened.length = 0;
    return reservation;
  }
  const accepted = { headers: undefined, data: undefined, remoteAddress: undefined };

  test("is true once, and calls open", async () => {
    const reservation = await ready();
    expect([reservation.accept(accepted), reservation.accept(accepted)]).toEqual([true, false]);
    expect(opened).toEqual(["open"]);
    reservation.drop();
  });

  test("is false of one that was dropped", async () => {
    const reservation = await ready();
    reservation.drop();
    expect([reservation.accept(accepted), opened]).toEqual([false, []]);
  });

  test("is false when the inner server has lost it", async () => {
    const reservation = await ready();
    reservation.innerClosed();
    expect([reservation.accept(accepted), opened]).toEqual([false, []]);
    reservation.drop();
  });
});

describe("Tunnels.lead()", () => {
  /** What the app is told, and what the client gets. */
  function lead(wayOf: () => null): readonly [unknown, string] {
    let told: unknown = null;
    const engine = new FakeEngine((request) => {
      try {
        told = tunnels.lead(requestOwner(request) as Exchange, wayOf);
      } catch (error) {
        told = (error as Error).message;
      }
      return new Response("answered");
    });
    const wire = engine.connect();
    wire.send(get("/"));
    return [told, wire.text.split("\r\n")[0]!];
  }

  test("is false where there is no way, and the request is answered", () => {
    expect(lead(() => null)).toEqual([false, "HTTP/1.1 200 OK"]);
  });

  test("throws what the way throws, and the request is answered", () => {
    const wayOf = () => {
      throw new Error("on purpose");
    };
    expect(lead(wayOf)).toEqual(["on purpose", "HTTP/1.1 200 OK"]);
  });
});
