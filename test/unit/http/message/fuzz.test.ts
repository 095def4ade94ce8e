/**
 * Seeded fuzzing of the reader that the worker uses. For each input: no exception, no hang, the same outcome however it is cut,
 * agreement with the reference parser, the next request parsed as itself, and nothing parsed after a refusal.
 * FUZZ_SEED and FUZZ_INPUTS repeat a failure, or look further.
 */
import { expect, test } from "bun:test";
import { RequestBody } from "../../../../src/http/request/body.ts";
import type { RefusalName } from "../../../../src/http/errors.ts";
import { isPersistent } from "../../../../src/http/message/keep-alive.ts";
import {
  type HeadsByTrust,
  headsByTrust,
  MessageReader,
} from "../../../../src/http/request/message-reader.ts";
import { defaultLimits, readCorpus } from "../../../support/corpus.ts";
import {
  below,
  chunkedRequest,
  mutate,
  pick,
  seeded,
  splitPoints,
  type Random,
} from "../../../support/mutate.ts";
import {
  readAll,
  type Message,
  type Reading,
  type Rules,
} from "../../../support/reference-parser.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_120);
const inputs = Number(process.env["FUZZ_INPUTS"] ?? 30_000);
const timeoutMs = 60_000 + inputs;

const cases = readCorpus().filter((row) => row.bytes.length < 1200);
const texts = cases.map((row) => row.bytes.toString("latin1"));
const accepted = cases
  .filter((row) => row.outcome === "accepted" && row.limits === defaultLimits)
  .map((row) => row.bytes.toString("latin1"));
const plain: Rules = {
  limits: defaultLimits,
  options: {},
  trusted: false,
  maxBodyBytes: Number.POSITIVE_INFINITY,
};

/** The well-known request behind most inputs. */
const next = "GET /next HTTP/1.1\r\nHost: next\r\n\r\n";
const nextMessage: Omit<Message, "end"> = {
  method: "GET",
  target: "/next",
  authority: "next",
  versionMinor: 1,
  fields: ["Host: next"],
  framing: "none",
  expectsContinue: false,
  persistent: true,
  body: "",
};

interface Input {
  readonly text: string;
  readonly rules: Rules;
}

const families: readonly [name: string, make: (random: Random) => Input][] = [
  ["mutated cases of the corpus", (random) => mutatedCase(random, plainRules)],
  [
    "mutated cases under other settings and small limits",
    (random) => mutatedCase(random, anyRules),
  ],
  [
    "chunked bodies",
    (random) => {
      const text = chunkedRequest(random);
      const maxBodyBytes = random() < 0.2 ? below(random, 60) : plain.maxBodyBytes;
      return {
        text: random() < 0.5 ? text : mutate(random, text, texts),
        rules: { ...plain, maxBodyBytes },
      };
    },
  ],
  [
    "several requests on one connection",
    (random) => {
      const several = Array.from({ length: 2 + below(random, 4) }, () => pick(random, accepted));
      const text = several.join(random() < 0.1 ? "\r\n" : "");
      return { text: random() < 0.5 ? text : mutate(random, text, texts), rules: plain };
    },
  ],
];

function mutatedCase(random: Random, rulesFor: (random: Random, at: number) => Rules): Input {
  const at = below(random, texts.length);
  return { text: mutate(random, texts[at]!, texts), rules: rulesFor(random, at) };
}

/** The case's own. */
function plainRules(_random: Random, at: number): Rules {
  const { limits, options, trusted } = cases[at]!;
  return { ...plain, limits, options, trusted };
}

function anyRules(random: Random): Rules {
  const maybe = () => random() < 0.3;
  const limit = (most: number, usual: number) => (maybe() ? 1 + below(random, most) : usual);
  return {
    limits: {
      requestLine: limit(60, 4094),
      fields: limit(4, 100),
      fieldSize: limit(40, 8190),
    },
    options: {
      permitUnconventionalMethod: maybe(),
      permitUnconventionalVersion: maybe(),
      casefoldMethod: maybe(),
      stripHeaderSpaces: maybe(),
      permitObsoleteFolding: maybe(),
      headerMap: pick(random, ["drop", "refuse", "dangerous"]),
      forwarderHeaders: maybe() ? [pick(random, ["SCRIPT_NAME", "X_Y", "*"])] : [],
    },
    trusted: maybe(),
    maxBodyBytes: maybe() ? below(random, 20) : plain.maxBodyBytes,
  };
}

test.each(families)(
  "%s",
  (name, make) => {
    const tally = { accepted: 0, refused: 0, incomplete: 0 };
    for (let index = 0; index < inputs; index++) {
      const random = seeded(seed + index);
      const input = make(random);
      try {
        tally[examine(input, random)]++;
      } catch (error) {
        const rules = JSON.stringify(input.rules);
        const message = `${name}: FUZZ_SEED=${seed + index} FUZZ_INPUTS=1\ninput: ${JSON.stringify(input.text)}\nrules: ${rules}`;
        throw new Error(`${message}\n${String(error)}`, { cause: error });
      }
    }
    // A generator that only makes rubbish, or nothing but it, tests little.
    if (inputs >= 1000)
      for (const count of Object.values(tally)) expect(count).toBeGreaterThan(inputs / 1000);
  },
  timeoutMs,
);

function examine(input: Input, random: Random): "accepted" | "refused" | "incomplete" {
  const { rules } = input;
  const alone = random() < 0.2;
  const text = alone ? input.text : input.text + next;
  const whole = read(text, [], rules, known(rules));
  if (random() < 0.2) {
    same(read(text, [], rules, known(rules)), whole, "when it came again");
    same(read(text, [], rules, known(rules)), whole, "when it came for the third time");
  }
  const cuts = splitPoints(random, text);
  const split = read(text, cuts, rules);
  same(split, whole, `cut at ${cuts.join()}`);
  compare(text, whole, readAll(text, rules), rules);
  for (const message of whole.messages) checkLength(message);
  if (!alone) checkNext(input, whole);
  if (whole.error !== null) return "refused";
  return whole.messages.some((message) => message.end === -1) ? "incomplete" : "accepted";
}

/** The heads that came before under the same rules, as a worker's connections share them. */
const knownHeads = new Map<string, HeadsByTrust>();

function known(rules: Rules): HeadsByTrust {
  const key = JSON.stringify({ ...rules, trusted: null });
  const heads = knownHeads.get(key) ?? headsByTrust();
  knownHeads.set(key, heads);
  return heads;
}

/** RFC 9112 §6.3: a complete body is as long as announced; one that isn't there has no bytes. */
function checkLength({ framing, body, end }: Message): void {
  if (framing === "chunked" || end === -1) return;
  const length = Number(framing.split(" ")[1] ?? 0);
  if (body.length !== length) throw new Error(`${framing}, but ${body.length} bytes of body`);
}

/** Where a request ended exactly at the end of the input, or an empty line before it, the next one is itself. */
function checkNext({ text, rules }: Input, { messages, error }: Outcome): void {
  const at = messages.findIndex(
    ({ end }) => end !== -1 && /^(\r\n)?$/.test(text.slice(end)) && end <= text.length,
  );
  if (at === -1) return;
  const { requestLine, fields, fieldSize } = rules.limits;
  if (
    requestLine < "GET /next HTTP/1.1".length ||
    fields < 1 ||
    fieldSize < "Host: next\r\n".length
  )
    return;
  const { end, ...found } = messages[at + 1] ?? { end: -1 };
  if (messages.length !== at + 2 || error !== null || !Bun.deepEquals(found, nextMessage))
    throw new Error(
      `the next request came out as ${error} ${JSON.stringify(messages.slice(at + 1))}`,
    );
  if (end !== text.length + next.length) throw new Error(`the next request ended at ${end}`);
}

// Reading

interface Outcome {
  readonly messages: readonly Message[];
  readonly error: RefusalName | null;
}

const silentSource = { onFirstRead() {}, onPause() {}, onResume() {} };

/** Feeds the pieces one by one, and notes all that comes out. */
function read(
  text: string,
  cuts: readonly number[],
  rules: Rules,
  heads = headsByTrust(),
): Outcome {
  const bytes = Buffer.from(text, "latin1");
  const reader = new MessageReader(rules.limits, rules.options, rules.maxBodyBytes, heads);
  reader.trusted = rules.trusted;
  const messages: Message[] = [];
  let current: { readonly message: Message; readonly body: RequestBody } | null = null;
  let start = 0;
  let steps = 0;
  for (const end of [...cuts, bytes.length]) {
    const piece = Buffer.from(bytes.subarray(start, end));
    for (let at = 0; at < piece.length;) {
      if (++steps > 2 * bytes.length + 2) throw new Error(`no end after ${steps} steps`);
      const before = at;
      const step = reader.read(piece, at, piece.length);
      at = reader.consumed;
      if (at < before || at > piece.length) throw new Error(`${step}: from ${before} to ${at}`);
      if (step !== "need more" && step !== "head" && step !== "end") {
        checkRefusal(reader, step, piece, at);
        if (current !== null) finish(current, -1);
        return { messages, error: step };
      }
      if (at === before) throw new Error(`${step}: nothing consumed at ${start + at}`);
      if (step === "need more" && at !== piece.length) throw new Error(`stopped at ${start + at}`);
      if (step === "head") {
        const message = messageOf(reader, reader.hasBody ? -1 : start + at);
        messages.push(message);
        if (reader.hasBody) {
          reader.body = new RequestBody(silentSource, null);
          current = { message, body: reader.body };
        }
      } else if (step === "end") {
        if (current === null) throw new Error("the end of no body");
        finish(current, start + at);
        current = null;
        continue;
      }
      // Nothing may look back into what was read of a head; a body's bytes are the sink's.
      if (current === null || step === "head") piece.fill("*", before, at);
    }
    start = end;
  }
  if (current !== null) finish(current, -1);
  return { messages, error: null };
}

/** After any refusal nothing more is parsed. */
function checkRefusal(reader: MessageReader, name: RefusalName, piece: Buffer, at: number): void {
  const { head } = reader;
  const more = Buffer.from(`${next}0\r\n\r\n${next}`);
  const again = [
    reader.read(piece, at, piece.length),
    reader.read(more, 0, more.length),
    reader.read(more, 0, 1),
  ];
  if (again.some((step) => step !== name)) throw new Error(`${name}, then ${again.join(", ")}`);
  if (reader.head !== head) throw new Error(`${name}, then a head`);
}

function messageOf({ head, hasBody, expectsContinue }: MessageReader, end: number): Message {
  const length = head.contentLength > 0 ? `length ${head.contentLength}` : "none";
  const framing = head.transferCoding === "none" ? length : head.transferCoding;
  if (hasBody !== (framing !== "none")) throw new Error(`${framing}, but hasBody is ${hasBody}`);
  return {
    method: head.method,
    target: head.target,
    authority: head.authority,
    versionMinor: head.versionMinor,
    fields: Array.from(
      { length: head.fieldCount },
      (_, index) => `${head.fieldName(index)}: ${head.fieldValue(index)}`,
    ),
    framing,
    expectsContinue,
    persistent: isPersistent(head.versionMinor, head.connection, false),
    body: "",
    end,
  };
}

function finish({ message, body }: { message: Message; body: RequestBody }, end: number): void {
  if (end !== -1 && !body.ended) throw new Error("the body doesn't know its end");
  // Of an incomplete body too what came is compared.
  body.end();
  message.body = Buffer.from(body.fork() as Uint8Array).toString("latin1");
  message.end = end;
}

// Comparing

function same(one: Outcome, other: Outcome, what: string): void {
  if (one.error === other.error && Bun.deepEquals(comparable(one), comparable(other))) return;
  throw new Error(`${what}: ${JSON.stringify(one)}\nelse: ${JSON.stringify(other)}`);
}

/** How much of a body that is too large came before the refusal is up to the cuts, and to nobody's harm. */
function comparable({ messages, error }: Outcome): readonly Message[] {
  if (error !== "body too large") return messages;
  return messages.map((message) => (message.end === -1 ? { ...message, body: "" } : message));
}

/** Both readers accept the same requests, or refuse at the same one for a reason that is true. */
function compare(text: string, outcome: Outcome, reading: Reading, rules: Rules): void {
  const { error } = outcome;
  const messages = reading.messages;
  const agreed =
    error === null
      ? reading.faults === null
      : (reading.faults?.has(error) ?? isRefusedEarly(text, error, messages.length, rules));
  const expected = comparable({ messages, error });
  if (agreed && Bun.deepEquals(comparable(outcome), expected)) return;
  const faults = reading.faults === null ? "nothing" : [...reading.faults].join(", ");
  throw new Error(
    `read: ${error} ${JSON.stringify(outcome.messages)}\nreference: ${faults} ${JSON.stringify(messages)}`,
  );
}

const endings = [
  "\r\n\r\n",
  "\n\r\n\r\n",
  "\r\n0\r\n\r\n",
  "a\r\n\r\n",
  ": a\r\n\r\n",
  " HTTP/1.1\r\nHost: a\r\n\r\n",
  "HTTP/1.1\r\nHost: a\r\n\r\n",
];

/** What was refused before its line or section was complete can't become a request, whatever follows. */
function isRefusedEarly(text: string, name: RefusalName, count: number, rules: Rules): boolean {
  const readings = endings.map((ending) => readAll(text + ending, rules));
  return (
    readings.every(({ messages, faults }) => faults !== null || messages.length <= count) &&
    readings.some(({ faults }) => faults?.has(name) === true)
  );
}
