import { JSON_DEPTH_MAX } from './constants.ts'
import { TokenizerError } from './errors.ts'

/**
 * Looks at all regular expressions in a part of tokenizer.json. One that repeats a group which itself
 * repeats or branches, such as `(a+)+`, may take longer for a line of text than anybody lives, and no
 * published tokenizer has one.
 *
 * @throws {TokenizerError} that shows the pattern
 */
export function checkPatterns (json: unknown, depth = 0): void {
  if (typeof json !== 'object' || json === null || depth > JSON_DEPTH_MAX) {
    return
  }
  for (const [key, value] of Object.entries(json)) {
    if (key === 'Regex' && typeof value === 'string' && repeatsGroups(value)) {
      throw new TokenizerError(`expected patterns that repeat no group which repeats or branches but got ${JSON.stringify(value.slice(0, 80))}: it may not end`)
    }
    checkPatterns(value, depth + 1)
  }
}

const REPEATS = /^([*+]|\{\d*,?\d*\})/

function repeatsGroups (pattern: string): boolean {
  /** of each group that is open, the outermost being the whole: whether something in it repeats or branches */
  const open = [false]
  for (let at = 0; at < pattern.length; at++) {
    switch (pattern[at]) {
      case '\\':
        at += /^\\[pP]\{[^}]*\}/.exec(pattern.slice(at, at + 64))?.[0].length ?? 2
        at--
        break
      case '[':
        at = classEnd(pattern, at)
        break
      case '(':
        open.push(false)
        // what follows is the kind of the group: (?:, (?i:, (?<!, (?<name>
        at += /^\(\?(<[=!]|<[^>]*>|[=!>:]|[a-z-]*:?)/.exec(pattern.slice(at, at + 64))?.[0].length ?? 1
        at--
        break
      case ')': {
        const inner = open.length > 1 && open.pop() === true
        if (inner && REPEATS.test(pattern.slice(at + 1, at + 24))) {
          return true
        }
        open[open.length - 1] ||= inner
        break
      }
      case '|': case '*': case '+': case '?': case '{':
        open[open.length - 1] = true
        break
      default:
    }
  }
  return false
}

/** Of the bracket that closes a class of characters, which may hold other classes. */
function classEnd (pattern: string, begin: number): number {
  let depth = 0
  for (let at = begin; at < pattern.length; at++) {
    if (pattern[at] === '\\') {
      at++
    } else if (pattern[at] === '[') {
      depth++
      // a bracket that comes first is one of the characters
      at += (/^\[\^?\]/.exec(pattern.slice(at, at + 3))?.[0].length ?? 1) - 1
    } else if (pattern[at] === ']' && --depth === 0) {
      return at
    }
  }
  return pattern.length
}
