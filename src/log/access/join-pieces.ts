/**
 * A line of the pieces of a format. Requests of one second and one client begin alike, and often end alike: of each four
 * pieces the last text is kept, since to join them costs more than to compare them, and leaves more to the garbage
 * collector (bench: access-log).
 */
import type { RequestRecord } from "../../api/request-record.ts";

export type Render = (request: RequestRecord) => string;

/** A text, and what stands behind it. */
export interface Piece {
  readonly before: string;
  readonly render: Render;
}

const nothing: Piece = { before: "", render: () => "" };

/** After so many misses in a row, as many lines are joined without a look. */
const patience = 32;

/** A match needs a text in one piece, and that piece stays. */
const oneLine = /^.*$/;

/** `tail` stands behind the last piece. */
export function joinPieces(pieces: readonly Piece[], tail: string): Render {
  if (pieces.length === 0) return () => tail;
  const [a, b = nothing, c = nothing, d = nothing, ...others] = pieces as [Piece, ...Piece[]];
  const four = new FourPieces([a, b, c, d], others.length === 0 ? tail : "");
  if (others.length === 0) return (request) => four.join(request);
  const rest = joinPieces(others, tail);
  return (request) => four.join(request) + rest(request);
}

class FourPieces {
  readonly #a: Piece;
  readonly #b: Piece;
  readonly #c: Piece;
  readonly #d: Piece;
  readonly #tail: string;
  /** What they have said last. */
  #textA = "";
  #textB = "";
  #textC = "";
  #textD = "";
  /** What that makes; empty: it hasn't come twice. */
  #joined = "";
  #misses = 0;
  #skips = 0;

  constructor([a, b, c, d]: readonly [Piece, Piece, Piece, Piece], tail: string) {
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
    this.#tail = tail;
  }

  join(request: RequestRecord): string {
    const a = this.#a.render(request);
    const b = this.#b.render(request);
    const c = this.#c.render(request);
    const d = this.#d.render(request);
    if (this.#skips > 0) this.#skips -= 1;
    else if (this.#isSame(a, b, c, d)) return this.#again();
    else this.#keep(a, b, c, d);
    return this.#joinTexts(a, b, c, d);
  }

  #isSame(a: string, b: string, c: string, d: string): boolean {
    return a === this.#textA && b === this.#textB && c === this.#textC && d === this.#textD;
  }

  #again(): string {
    this.#misses = 0;
    if (this.#joined === "") {
      this.#joined = this.#joinTexts(this.#textA, this.#textB, this.#textC, this.#textD);
      oneLine.test(this.#joined);
    }
    return this.#joined;
  }

  #keep(a: string, b: string, c: string, d: string): void {
    this.#misses += 1;
    if (this.#misses > patience) this.#skips = patience;
    this.#textA = a;
    this.#textB = b;
    this.#textC = c;
    this.#textD = d;
    this.#joined = "";
  }

  /** In one expression: one by one they leave more to the garbage collector. */
  #joinTexts(a: string, b: string, c: string, d: string): string {
    const start = this.#a.before + a + this.#b.before + b;
    return start + this.#c.before + c + this.#d.before + d + this.#tail;
  }
}
