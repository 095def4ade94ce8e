/** access_log_format: Gunicorn's %-style with named atoms, read once and made into one function. */
import { ConfigError } from "../config/errors.ts";
import { type Atom, atoms, namedAtom, type Source } from "./access-atoms.ts";
import type { RequestRecord } from "./request-record.ts";

type Render = (request: RequestRecord) => string;

/** A text, and what stands behind it. */
interface Piece {
  readonly before: string;
  readonly render: Render;
}

/**
 * The function that makes a line of a request: one line, whatever the request says.
 *
 * @throws ConfigError with the position of what can't be read, counted from 1
 */
export function compileAccessFormat(format: string): Render {
  const lineEnd = format.search(/[\r\n]/);
  if (lineEnd !== -1) throw wrong("a line end", lineEnd, "a request is one line");
  const pieces: Piece[] = [];
  let text = "";
  for (let at = 0; at < format.length;) {
    const percent = format.indexOf("%", at);
    text += format.slice(at, percent === -1 ? format.length : percent);
    if (percent === -1) break;
    if (format[percent + 1] === "%") {
      text += "%";
      at = percent + 2;
      continue;
    }
    const { render, end } = readAtom(format, percent);
    pieces.push({ before: text, render });
    text = "";
    at = end;
  }
  return joinPieces(pieces, text);
}

const nothing: Piece = { before: "", render: () => "" };

/** Several pieces in one expression: one by one they leave more to the garbage collector (bench: access-log). */
function joinPieces(pieces: readonly Piece[], tail: string): Render {
  if (pieces.length === 0) return () => tail;
  const [a, b = nothing, c = nothing, d = nothing, ...others] = pieces as [Piece, ...Piece[]];
  if (others.length === 0) {
    return (request) =>
      a.before +
      a.render(request) +
      b.before +
      b.render(request) +
      c.before +
      c.render(request) +
      d.before +
      d.render(request) +
      tail;
  }
  const rest = joinPieces(others, tail);
  return (request) =>
    a.before +
    a.render(request) +
    b.before +
    b.render(request) +
    c.before +
    c.render(request) +
    d.before +
    d.render(request) +
    rest(request);
}

/** Behind `%(name)`: flags, width, and what to show it as. */
const conversion = /([-0]*)([0-9]{0,3})([sd])/y;

function readAtom(format: string, percent: number): { render: Render; end: number } {
  if (format[percent + 1] !== "(") {
    throw wrong("a % that begins no atom", percent, "write %% for a percent sign");
  }
  const close = format.indexOf(")", percent);
  if (close === -1) throw wrong("an unclosed %(", percent, "write %(atom)s");
  const name = format.slice(percent + 2, close);
  conversion.lastIndex = close + 1;
  const [whole, flags = "", width = "", letter] = conversion.exec(format) ?? [];
  if (whole === undefined) {
    throw wrong(`no conversion behind %(${name})`, close + 1, `write %(${name})s`);
  }
  const described = `%(${name})${whole}`;
  const atom = findAtom(name);
  if (atom === null) throw wrong(`unknown atom ${described}`, percent, `must be ${knownAtoms}`);
  const { number } = atom;
  const left = flags.includes("-");
  const columns = Number(width);
  const end = close + 1 + whole.length;
  if (letter === "d") {
    if (number === undefined) throw wrong(`${described} isn't a number`, percent, "write s for d");
    const zeros = flags.includes("0") && !left;
    return { end, render: padded((request) => String(number(request)), columns, left, zeros) };
  }
  if (flags.includes("0")) throw wrong(`a flag 0 in ${described}`, percent, "zeros need d");
  return { end, render: padded(atom.text, columns, left, false) };
}

const knownAtoms = `${Object.keys(atoms).join(", ")}, {name}i, {name}o or {name}e`;

function findAtom(name: string): Atom | null {
  if (Object.hasOwn(atoms, name)) return atoms[name as keyof typeof atoms];
  const named = /^\{([^{}]+)\}([ioe])$/.exec(name);
  return named === null ? null : namedAtom(named[1] as string, named[2] as Source);
}

function padded(render: Render, columns: number, left: boolean, zeros: boolean): Render {
  if (columns === 0) return render;
  if (left) return (request) => render(request).padEnd(columns);
  if (!zeros) return (request) => render(request).padStart(columns);
  return (request) => {
    const text = render(request);
    return text.startsWith("-")
      ? `-${text.slice(1).padStart(columns - 1, "0")}`
      : text.padStart(columns, "0");
  };
}

function wrong(what: string, index: number, advice: string): ConfigError {
  return new ConfigError(`accessLogFormat: ${what} at position ${index + 1}: ${advice}`);
}
