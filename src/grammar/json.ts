import { DIGITS_MAX, OPEN_DEPTH_MAX } from './constants.ts'
import type { GrammarBuilder, Part } from './grammar.ts'

/** Parts of JSON (RFC 8259), written compactly: no white space but one blank behind `:` and `,` if the model likes. */
export interface JsonParts {
  comma: Part[]
  colon: Part[]
  /** one character of a string, escaped or not */
  character: Part
  string: Part
  integer: Part
  number: Part
  boolean: Part
  null: Part
  /** an object of these values under any names */
  objectOf (value: Part): Part
  /** any object */
  object (): Part
  any (): Part
}

export function jsonParts (builder: GrammarBuilder): JsonParts {
  const blank = builder.rule([], builder.text(' '))
  const comma = [...builder.text(','), blank]
  const colon = [...builder.text(':'), blank]
  const character = characterOf(builder)
  const string = builder.rule([...builder.text('"'), builder.repeat(character, 0), ...builder.text('"')])
  const { integer, number } = numbersOf(builder)
  const boolean = builder.rule(builder.text('true'), builder.text('false'))
  const nothing = builder.rule(builder.text('null'))
  const scalars = [[string], [number], [boolean], [nothing]]

  const objectOf = (value: Part): Part =>
    builder.rule([...builder.text('{'), builder.repeat(builder.rule([string, ...colon, value]), 0, undefined, comma), ...builder.text('}')])
  const arrayOf = (value: Part): Part =>
    builder.rule([...builder.text('['), builder.repeat(value, 0, undefined, comma), ...builder.text(']')])

  // a value that holds values one level less deep; the innermost holds none
  const values: Part[] = [builder.rule(...scalars)]
  const valueOf = (depth: number): Part => {
    for (let level = values.length; level <= depth; level++) {
      values.push(builder.rule(...scalars, [objectOf(values[level - 1])], [arrayOf(values[level - 1])]))
    }

    return values[depth]
  }

  return { comma, colon, character, string, integer, number, boolean, null: nothing, objectOf, object: () => objectOf(valueOf(OPEN_DEPTH_MAX - 1)), any: () => valueOf(OPEN_DEPTH_MAX) }
}

/** A character in well-formed UTF-8 (RFC 3629, section 4) or an escape that is no surrogate. */
function characterOf (builder: GrammarBuilder): Part {
  const tail = builder.bytes([0x80, 0xbf])
  const hex = builder.bytes([0x30, 0x39], [0x41, 0x46], [0x61, 0x66])
  const escape = builder.text('\\')

  return builder.rule(
    [builder.bytes([0x20, 0x21], [0x23, 0x5b], [0x5d, 0x7e])],
    [builder.bytes([0xc2, 0xdf]), tail],
    [builder.bytes([0xe0, 0xe0]), builder.bytes([0xa0, 0xbf]), tail],
    [builder.bytes([0xe1, 0xec], [0xee, 0xef]), tail, tail],
    [builder.bytes([0xed, 0xed]), builder.bytes([0x80, 0x9f]), tail],
    [builder.bytes([0xf0, 0xf0]), builder.bytes([0x90, 0xbf]), tail, tail],
    [builder.bytes([0xf1, 0xf3]), tail, tail, tail],
    [builder.bytes([0xf4, 0xf4]), builder.bytes([0x80, 0x8f]), tail, tail],
    [...escape, builder.rule(...['"', '\\', '/', 'b', 'f', 'n', 'r', 't'].map(one => builder.text(one)))],
    [...escape, ...builder.text('u'), builder.bytes([0x30, 0x39], [0x41, 0x43], [0x45, 0x46], [0x61, 0x63], [0x65, 0x66]), hex, hex, hex],
    [...escape, ...builder.text('u'), builder.bytes([0x44, 0x44], [0x64, 0x64]), builder.bytes([0x30, 0x37]), hex, hex]
  )
}

function numbersOf (builder: GrammarBuilder): { integer: Part, number: Part } {
  const digit = builder.bytes([0x30, 0x39])
  const minus = builder.rule([], builder.text('-'))
  const whole = builder.rule(builder.text('0'), [builder.bytes([0x31, 0x39]), builder.repeat(digit, 0, DIGITS_MAX - 1)])
  const fraction = builder.rule([], [...builder.text('.'), builder.repeat(digit, 1, DIGITS_MAX)])
  // two digits keep every number within f64
  const exponent = builder.rule([], [builder.bytes([0x45, 0x45], [0x65, 0x65]), builder.rule([], builder.text('+'), builder.text('-')), builder.repeat(digit, 1, 2)])

  return { integer: builder.rule([minus, whole]), number: builder.rule([minus, whole, fraction, exponent]) }
}
