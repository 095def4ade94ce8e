/** threads: how many requests the app has at a time, and what becomes of the others. */
import { describe, expect, test } from "bun:test";
import { Gate, type Guest } from "../../../../src/worker/exchange/gate.ts";
import { bodies, FakeEngine, later, statuses, ticks } from "../../../support/fake-engine.ts";

class Visitor implements Guest {
  entered = 0;
  enter(): void {
    this.entered += 1;
  }
}

describe("Gate", () => {
  test("lets in as many as it may, and the others in their order", () => {
    const gate = new Gate(2);
    const visitors = Array.from({ length: 5 }, () => new Visitor());
    expect(visitors.map((visitor) => gate.admit(visitor))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    gate.leave();
    gate.leave();
    expect(visitors.map(({ entered }) => entered)).toEqual([0, 0, 1, 1, 0]);
  });

  test("nobody overtakes those who wait", () => {
    const gate = new Gate(1);
    const [first, second] = [new Visitor(), new Visitor()];
    gate.admit(first);
    let overtaken = true;
    const third: Guest = {
      enter: () => {
        // Not before this one, though there was room for a moment.
        overtaken = gate.admit(second);
      },
    };
    gate.admit(third);
    gate.leave();
    expect(overtaken).toBe(false);
  });

  test("who is forgotten isn't let in", () => {
    const gate = new Gate(1);
    const [first, second, third] = [new Visitor(), new Visitor(), new Visitor()];
    for (const visitor of [first, second, third]) gate.admit(visitor);
    gate.forget(second);
    gate.leave();
    expect([second.entered, third.entered]).toEqual([0, 1]);
  });

  test("a hundred thousand that leave at once are no deep stack", () => {
    const gate = new Gate(1);
    let count = 0;
    const guest = (): Guest => ({
      enter: () => {
        count += 1;
        gate.leave();
      },
    });
    gate.admit(new Visitor());
    for (let waiting = 0; waiting < 100_000; waiting++) gate.admit(guest());
    gate.leave();
    expect(count).toBe(100_000);
    expect(gate.admit(new Visitor())).toBe(true);
  }, 60_000);

  test("moves() is false only while it is full and nobody has come or gone", () => {
    const gate = new Gate(1);
    expect([gate.moves(), gate.moves()]).toEqual([true, true]);
    gate.admit(new Visitor());
    expect([gate.moves(), gate.moves(), gate.moves()]).toEqual([true, false, false]);
    gate.admit(new Visitor());
    expect(gate.moves()).toBe(false);
    gate.leave();
    expect([gate.moves(), gate.moves()]).toEqual([true, false]);
    gate.leave();
    expect([gate.moves(), gate.moves()]).toEqual([true, true]);
  });
});

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

describe("with threads = 1", () => {
  /** Three clients, of whom the app answers one at a time, when it is told to. */
  function three() {
    const answers = [later(), later(), later()];
    let asked = 0;
    const engine = new FakeEngine(() => answers[asked++]!.promise, { config: { threads: 1 } });
    const wires = [engine.connect(), engine.connect(), engine.connect()];
    wires.forEach((wire, index) => wire.send(get(`/${index}`)));
    const answer = async (index: number) => {
      answers[index]!.resolve(new Response(`answer ${index}`));
      await engine.settle();
    };
    return { engine, wires, answer };
  }

  test("the app gets the next request when it has answered the one before", async () => {
    const { engine, wires, answer } = three();
    await engine.settle();
    expect(engine.events).toEqual(["GET /0"]);
    await answer(0);
    expect(engine.events).toEqual(["GET /0", "GET /1"]);
    await answer(1);
    await answer(2);
    expect(wires.map(({ text }) => bodies(text))).toEqual([
      ["answer 0"],
      ["answer 1"],
      ["answer 2"],
    ]);
    expect(engine.inFlight).toBe(0);
  });

  test("a client that leaves while it waits is told to observers, and its request never reaches the app", async () => {
    const { engine, wires, answer } = three();
    await engine.settle();
    wires[1]!.reset();
    await answer(0);
    expect(engine.events).toEqual(["GET /0", "GET /2"]);
    await answer(1);
    expect(engine.told).toEqual(["GET /1 499 0", "GET /0 200 8", "GET /2 200 8"]);
    expect(engine.ended).toEqual(["GET /0 200", "GET /2 200"]);
  });

  test("a request that waits has no deadline of its own", async () => {
    const { engine, wires, answer } = three();
    await engine.settle();
    engine.tick(10 * ticks(60));
    expect(wires.map(({ closed }) => closed)).toEqual([false, false, false]);
    await answer(0);
    expect(statuses(wires[0]!.text)).toEqual([200]);
  });

  test("a body that breaks while its request waits is answered at once, and the place stays free", async () => {
    const first = later();
    let asked = 0;
    const engine = new FakeEngine(() => (asked++ === 0 ? first.promise : new Response("next")), {
      config: { threads: 1 },
    });
    engine.connect().send(get("/0"));
    const broken = engine.connect();
    broken.send("POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    await engine.settle();
    broken.send("lo no chunk\r\n");
    await engine.settle();
    expect(statuses(broken.text)).toEqual([400]);
    const next = engine.connect();
    next.send(get("/2"));
    first.resolve(new Response("first"));
    await engine.settle();
    expect(engine.events).toEqual(["GET /0", "GET /2"]);
    expect(bodies(next.text)).toEqual(["next"]);
  });

  test("an app that throws, and a client that leaves in the middle of an answer, give their place back", async () => {
    let asked = 0;
    const engine = new FakeEngine(
      (request) => {
        asked += 1;
        if (asked === 1) throw new Error("first");
        if (asked === 3) return new Response("third");
        return new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(new TextEncoder().encode(request.url)),
          }),
        );
      },
      { config: { threads: 1 } },
    );
    const wires = [engine.connect(), engine.connect(), engine.connect()];
    wires[1]!.room = 10;
    wires.forEach((wire, index) => wire.send(get(`/${index}`)));
    await engine.settle();
    expect(statuses(wires[0]!.text)).toEqual([500]);
    expect(asked).toBe(2);
    wires[1]!.reset();
    await engine.settle();
    expect(bodies(wires[2]!.text)).toEqual(["third"]);
    expect(engine.gate?.moves()).toBe(true);
  });

  test("pipelined requests of one client wait for each other as ever", async () => {
    const engine = new FakeEngine((request) => new Response(new URL(request.url).pathname), {
      config: { threads: 1 },
    });
    const wire = engine.connect();
    wire.send(get("/0") + get("/1") + get("/2"));
    await engine.settle();
    expect(bodies(wire.text)).toEqual(["/0", "/1", "/2"]);
  });
});
