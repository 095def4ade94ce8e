/**
 * The Headers of a request, read from the head's text. Native Headers are made of it only when somebody needs more than
 * get() and has(). Invariant: once there are native ones, they are the only truth.
 *
 * A prototype between the object and Headers.prototype makes it `instanceof Headers`. Bun's native code takes an object
 * without its internal slot for an iterable of pairs, and this is one.
 */

/** A head whose fields can be found: four offsets into `text` each (name start, name end, value start, value end). */
export interface HeaderFields {
  readonly text: string;
  readonly fields: Int32Array;
  readonly fieldCount: number;
}

const NativeHeaders = Headers;

/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

class RequestHeaders {
  readonly #head: HeaderFields;
  #native: Headers | null = null;

  constructor(head: HeaderFields) {
    this.#head = head;
  }

  get(name: string): string | null {
    if (this.#native !== null || typeof name !== "string") {
      // Native counts its arguments.
      return this.#materialise().get(...(arguments as unknown as [string]));
    }
    const { text, fields, fieldCount } = this.#head;
    const field = findField(text, fields, fieldCount, name, 0);
    if (field === -1) {
      // A name that nobody can send is a TypeError, which Bun words.
      return token.test(name) ? null : this.#materialise().get(name);
    }
    // RFC 9110 §5.3: several lines are one list, in order.
    if (findField(text, fields, fieldCount, name, field + 1) !== -1) {
      return this.#materialise().get(name);
    }
    return text.slice(fields[4 * field + 2], fields[4 * field + 3]);
  }

  has(name: string): boolean {
    if (this.#native !== null || typeof name !== "string") {
      return this.#materialise().has(...(arguments as unknown as [string]));
    }
    const { text, fields, fieldCount } = this.#head;
    if (findField(text, fields, fieldCount, name, 0) !== -1) return true;
    return token.test(name) ? false : this.#materialise().has(name);
  }

  append(...pair: [name: string, value: string]): void {
    this.#materialise().append(...pair);
  }

  delete(...name: [name: string]): void {
    this.#materialise().delete(...name);
  }

  set(...pair: [name: string, value: string]): void {
    this.#materialise().set(...pair);
  }

  getAll(...name: Parameters<Headers["getAll"]>): string[] {
    return this.#materialise().getAll(...name);
  }

  getSetCookie(): string[] {
    return this.#materialise().getSetCookie();
  }

  entries(): ReturnType<Headers["entries"]> {
    return this.#materialise().entries();
  }

  keys(): ReturnType<Headers["keys"]> {
    return this.#materialise().keys();
  }

  values(): ReturnType<Headers["values"]> {
    return this.#materialise().values();
  }

  forEach(
    callback: (value: string, key: string, parent: Headers) => void,
    thisArg?: unknown,
  ): void {
    if (typeof callback !== "function") {
      this.#materialise().forEach(callback);
      return;
    }
    // Native hands out the object that forEach was called on.
    const parent = this as unknown as Headers;
    this.#materialise().forEach((value, key) => callback.call(thisArg, value, key, parent));
  }

  toJSON(): ReturnType<Headers["toJSON"]> {
    return this.#materialise().toJSON();
  }

  get count(): number {
    return this.#materialise().count;
  }

  static materialise(headers: RequestHeaders): Headers {
    return headers.#materialise();
  }

  #materialise(): Headers {
    if (this.#native !== null) return this.#native;
    const { text, fields, fieldCount } = this.#head;
    const native = new NativeHeaders();
    // append joins repeated fields with ", " and Cookie with "; " (RFC 9113 §8.2.3 says the latter).
    for (let offset = 0; offset < 4 * fieldCount; offset += 4) {
      native.append(
        text.slice(fields[offset], fields[offset + 1]),
        text.slice(fields[offset + 2], fields[offset + 3]),
      );
    }
    this.#native = native;
    return native;
  }
}

/** The index of the first field from `from` on with that name, whatever its case; -1 if there is none. */
function findField(
  text: string,
  fields: Int32Array,
  fieldCount: number,
  name: string,
  from: number,
): number {
  const { length } = name;
  for (let field = from; field < fieldCount; field++) {
    const start = fields[4 * field]!;
    if (fields[4 * field + 1]! - start === length && equalsName(text, start, name)) return field;
  }
  return -1;
}

function equalsName(text: string, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const sent = text.charCodeAt(start + index);
    const asked = name.charCodeAt(index);
    if (sent === asked) continue;
    const letter = sent | 0x20;
    if (letter !== (asked | 0x20) || letter < 0x61 || letter > 0x7a) return false;
  }
  return true;
}

const inspect = Symbol.for("nodejs.util.inspect.custom");

/** Makes `prototype` inherit from a native one and look like it: same enumerability, nothing of ours to see. */
export function disguise(prototype: object, native: object, show: (self: never) => object): void {
  Object.setPrototypeOf(prototype, native);
  Reflect.deleteProperty(prototype, "constructor");
  for (const key of Reflect.ownKeys(prototype)) {
    const original = Reflect.getOwnPropertyDescriptor(native, key);
    const enumerable = original?.enumerable ?? false;
    Object.defineProperty(prototype, key, { enumerable });
    const method: unknown = original?.value;
    const replacement: unknown = Reflect.getOwnPropertyDescriptor(prototype, key)?.value;
    if (typeof method === "function" && typeof replacement === "function") {
      Object.defineProperty(replacement, "length", { value: method.length });
    }
  }
  Object.defineProperty(prototype, inspect, {
    configurable: true,
    value(this: never): object {
      return show(this);
    },
  });
}

disguise(RequestHeaders.prototype, NativeHeaders.prototype, RequestHeaders.materialise);
// Native has one function for both.
Object.defineProperty(RequestHeaders.prototype, Symbol.iterator, {
  configurable: true,
  writable: true,
  value: RequestHeaders.prototype.entries,
});

/** Headers that read `head` when asked; it must not change afterwards. */
export function createHeaders(head: HeaderFields): Headers {
  // disguise() made every instance inherit from Headers.prototype.
  return new RequestHeaders(head) as unknown as Headers;
}
