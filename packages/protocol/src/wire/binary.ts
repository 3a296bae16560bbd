/**
 * The encoding of payloads (PROTOCOL §2): what JSON cannot say is put into JSON, and back. Both walks are bounded in depth, so that neither a
 * circular value nor a hostile line can exhaust the stack.
 */
import { fromBase64, toBase64 } from '#base64';
import { RunnelError } from '../errors.ts';
import { violation } from './violation.ts';

/** Levels of arrays and objects that a payload may nest; bytes are one level. */
export const PAYLOAD_LEVELS_MAX = 200;

/** Levels of the frame around a payload, at most: `[24, channel, {joined: [{data}]}]`. */
export const ENVELOPE_LEVELS_MAX = 4;

/** Objects that JSON would write as `{}` or as something that does not come back: they are refused by name instead. */
const REFUSED = /(Map|Set|Array|Buffer|View|Promise|Error|RegExp|Blob|File)$/;

const isEscapable = (key: string): boolean => key[0] === '$' && /^\$+b$/.test(key);

/** Whether it is a plain object of strings, numbers and booleans: most payloads are, and there is nothing to change in them. */
function isFlat(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) {
    const type = typeof (value as Record<string, unknown>)[key];
    if ((type !== 'string' && type !== 'number' && type !== 'boolean') || key[0] === '$') return false;
  }
  return true;
}

/**
 * `value` as JSON.stringify can write it. The same reference where nothing had to be changed, which is the common case, else a copy of
 * the parts that lead to a change.
 * @throws RunnelError `validation_failed` naming the path, for what no line can carry.
 */
export function toWire(value: unknown, levelsMax: number = PAYLOAD_LEVELS_MAX, pathStart = 0): unknown {
  if (isFlat(value)) return value;
  const path: (string | number)[] = [];
  /** How many levels the walk is in, and how much of `path` says where. */
  let depth = 0;
  return visit(value, '');

  function refusal(what: string): RunnelError {
    const at = path.slice(pathStart, depth);
    const message = `The payload cannot be sent: ${['data', ...at].join('.').slice(0, 200)} ${what}.`;
    return new RunnelError('validation_failed', message, { data: { issues: [{ message, path: at }] } });
  }

  /** `asked`: the value comes from a toJSON. As with JSON.stringify it is not asked for another, so an object is copied in any case. */
  function visit(value: unknown, key: string | number, asked?: boolean): unknown {
    const type = typeof value;
    if (type === 'bigint' || type === 'function' || type === 'symbol') throw refusal(`is a ${type}`);
    if (type !== 'object' || value === null) return value;
    if (depth >= levelsMax) throw refusal(`is circular, or nests more than ${levelsMax} levels`);

    const object = value as Record<string, unknown>;
    const prototype: unknown = Object.getPrototypeOf(object);
    const plain = prototype === Object.prototype || prototype === Array.prototype;
    const tag = plain ? '' : Object.prototype.toString.call(object).slice(8, -1);
    // Before toJSON, because Node's Buffer has one.
    if (tag === 'Uint8Array') return { $b: toBase64(value as Uint8Array) };
    const { toJSON } = object;
    if (!asked && typeof toJSON === 'function') return visit(toJSON.call(object, String(key)), key, true);

    if (Array.isArray(value)) {
      let copy: unknown[] | undefined;
      for (let i = 0; i < value.length; i++) {
        const wire = child(value[i], i);
        if (wire !== value[i]) {
          copy ??= [...value];
          copy[i] = wire;
        }
      }
      return copy ?? value;
    }

    if (REFUSED.test(tag)) throw refusal(`is a ${tag}`);
    const keys = Object.keys(object);
    let copy: [string, unknown][] | undefined = asked ? [] : undefined;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      const item = object[key];
      const wire = child(item, key);
      const name = isEscapable(key) ? `$${key}` : key;
      if (wire !== item || name !== key) copy ??= keys.slice(0, i).map((key) => [key, object[key]]);
      copy?.push([name, wire]);
    }
    // fromEntries defines, where an assignment to `__proto__` would not.
    return copy ? Object.fromEntries(copy) : object;
  }

  function child(item: unknown, key: string | number): unknown {
    // Most items are one of these, and need no visit.
    if (typeof item === 'string' || typeof item === 'number') return item;
    path[depth++] = key;
    const wire = visit(item, key);
    depth--;
    return wire;
  }
}

/**
 * Undoes `toWire` on what JSON.parse gave.
 * @throws RunnelError `protocol_error` for a `$b` that `toWire` would not have written, and for what nests too deep.
 */
export function fromWire(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= PAYLOAD_LEVELS_MAX + ENVELOPE_LEVELS_MAX) throw violation('A frame nests too deep.');
  if (Array.isArray(value)) return value.map((item) => fromWire(item, depth + 1));
  const entries = Object.entries(value);
  for (const entry of entries) {
    const [key, item] = entry;
    if (key === '$b') {
      const bytes = entries.length === 1 && typeof item === 'string' && fromBase64(item);
      if (!bytes) throw violation('A "$b" holds something else than base64.');
      return bytes;
    }
    if (isEscapable(key)) entry[0] = key.slice(1);
    entry[1] = fromWire(item, depth + 1);
  }
  return Object.fromEntries(entries);
}
