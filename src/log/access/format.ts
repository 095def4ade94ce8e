/** access_log_format: Gunicorn's %-style with named atoms, read once and made into one function. */
import { ConfigError } from "../../api/errors.ts";
import type { RequestRecord } from "../../api/request-record.ts";
import { decodeText, escapeJson, jsonPlaces } from "../lines/json-text.ts";
import { type Atom, atoms, namedAtom, type Source, extraAtoms } from "./atoms.ts";
import { joinPieces, type Piece, type Render } from "./join-pieces.ts";

/** An atom as a format has it. */
interface Field {
  /** The atom as the format has it: `%(D)08d`. */
  readonly described: string;
  /** The place of its percent sign in the format. */
  readonly index: number;
  /** The place behind it. */
  readonly end: number;
  readonly atom: Atom;
  /** Set if it is shown as a whole number, `%d`. */
  readonly number: ((request: RequestRecord) => number) | null;
  readonly columns: number;
  readonly left: boolean;
  readonly zeros: boolean;
}

/**
 * The function that makes a line of a request: one line, whatever the request says. Of a format that is a JSON object,
 * each line is one.
 *
 * @throws ConfigError with the position of what can't be read, counted from 1
 */
export function compileAccessFormat(format: string): Render {
  const lineEnd = format.search(/[\r\n]/);
  if (lineEnd !== -1) throw wrong("a line end", lineEnd, "a request is one line");
  const parts = readParts(format);
  const places = jsonPlaces(parts.map((part) => (typeof part === "string" ? part : null)));
  const pieces: Piece[] = [];
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    const made = places === null ? plain(part) : inJson(part, places[pieces.length] === true);
    pieces.push({ before: text, render: part.atom.ofHead === true ? noted(made) : made });
    text = "";
  }
  return joinPieces(pieces, text);
}

function readParts(format: string): readonly (string | Field)[] {
  const parts: (string | Field)[] = [];
  for (let at = 0; at < format.length;) {
    const percent = format.indexOf("%", at);
    parts.push(format.slice(at, percent === -1 ? format.length : percent));
    if (percent === -1) break;
    if (format[percent + 1] === "%") {
      parts.push("%");
      at = percent + 2;
      continue;
    }
    const field = readField(format, percent);
    parts.push(field);
    at = field.end;
  }
  return parts;
}

/** What stands behind `%(name)`: flags, width, and what to show it as. */
const conversion = /([-0]*)([0-9]{0,3})([sd])/y;

function readField(format: string, index: number): Field {
  if (format[index + 1] !== "(") {
    throw wrong("a % that begins no atom", index, "write %% for a percent sign");
  }
  const close = format.indexOf(")", index);
  if (close === -1) throw wrong("an unclosed %(", index, "write %(atom)s");
  const name = format.slice(index + 2, close);
  conversion.lastIndex = close + 1;
  const [whole, flags = "", width = "", letter] = conversion.exec(format) ?? [];
  if (whole === undefined) {
    throw wrong(`no conversion behind %(${name})`, close + 1, `write %(${name})s`);
  }
  const described = `%(${name})${whole}`;
  const atom = findAtom(name);
  if (atom === null) throw wrong(`unknown atom ${described}`, index, `must be ${knownAtoms}`);
  const { number } = atom;
  const left = flags.includes("-");
  const zeros = flags.includes("0");
  const columns = Number(width);
  const end = close + 1 + whole.length;
  const place = { described, index, end, atom, columns, left };
  if (letter === "d") {
    if (number === undefined) throw wrong(`${described} isn't a number`, index, "write s for d");
    return { ...place, number, zeros: zeros && !left };
  }
  if (zeros) throw wrong(`a flag 0 in ${described}`, index, "zeros need d");
  return { ...place, number: null, zeros: false };
}

/** By whom notes are taken: a place for each. */
let notePlaces = 0;

/** To look for a field, and to escape what it says, costs more than all else of a line (bench: access-log). */
function noted(render: Render): Render {
  const place = notePlaces;
  notePlaces += 1;
  return (request) => {
    const { notes } = request;
    if (notes === undefined || notes === null) return render(request);
    return (notes[place] ??= render(request));
  };
}

function plain({ atom, number, columns, left, zeros }: Field): Render {
  return padded(number === null ? atom.text : decimal(number), columns, left, zeros);
}

function decimal(number: (request: RequestRecord) => number): Render {
  return (request) => String(number(request));
}

/**
 * @param inString whether it stands within quotes, where what is missing is `-`; outside it is null, and a text gets
 * quotes
 */
function inJson(field: Field, inString: boolean): Render {
  const { atom, number, columns, left, zeros, described, index } = field;
  if (number !== null) {
    if (zeros && !inString)
      throw wrong(`${described} as a JSON number`, index, "write it without 0");
    return plain(field);
  }
  const text = (request: RequestRecord) => {
    const value = atom.value(request);
    if (typeof value === "number") return atom.text(request);
    return value === null ? "-" : decodeText(value);
  };
  if (inString) {
    const shown = padded(text, columns, left, false);
    return (request) => escapeJson(shown(request));
  }
  const json = (request: RequestRecord) => {
    const value = atom.value(request);
    if (value === null) return "null";
    return typeof value === "number" ? atom.text(request) : JSON.stringify(decodeText(value));
  };
  return padded(json, columns, left, false);
}

const knownAtoms = `${Object.keys(atoms).join(", ")}, {name}i, {name}o, {name}e, or {name}x with ${Object.keys(extraAtoms).join(", ")}`;

function findAtom(name: string): Atom | null {
  if (Object.hasOwn(atoms, name)) return atoms[name as keyof typeof atoms];
  const named = /^\{([^{}]+)\}([ioex])$/.exec(name);
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
