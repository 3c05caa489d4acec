import { Interpreter } from '@huggingface/jinja'
import { CHAT_ITEMS_MAX, CHAT_STEPS_MAX, CHAT_TEMPLATE_BYTES_MAX, CHAT_VALUE_UNITS_MAX, CHAT_WORK_PER_CHARACTER } from './constants.ts'
import { ChatTemplateError } from './errors.ts'

/** The library's declarations point at files without extensions, which our resolution does not follow. */
export interface JinjaInterpreter {
  evaluate (statement: unknown, environment: unknown): JinjaValue
  run (program: unknown): JinjaValue
}

export interface JinjaEnvironment {
  set (name: string, value: unknown): void
}

interface JinjaValue {
  type?: string
  value: unknown
}

const Base: new (environment: JinjaEnvironment) => JinjaInterpreter = Interpreter

/** What one item of a list or a dictionary takes, in characters of text: it is an object of its own. */
const ITEM_UNITS = 16

/**
 * Stops a template that loops, grows or nests without end. Whatever a filter or an operator works on
 * is the result of a step before, so to count the results of all steps is to bound all work: text
 * by its characters, lists by their items, each time that they are looked at. A list that holds
 * another one twice is written out twice, so a value may weigh only so much with all that it holds.
 */
export class BoundedInterpreter extends Base {
  private steps = 0
  private characters = 0
  private items = 0
  private readonly charactersMax: number
  /** of lists and dictionaries, which never change once they are made */
  private readonly weights = new WeakMap<object, number>()

  /**
   * @param environment - what the template sees
   * @param characters - of the messages: short ones are no reason for much work
   */
  constructor (environment: JinjaEnvironment, characters: number) {
    super(environment)
    this.charactersMax = CHAT_WORK_PER_CHARACTER * (CHAT_TEMPLATE_BYTES_MAX + characters)
  }

  override evaluate (statement: unknown, environment: unknown): JinjaValue {
    if (++this.steps > CHAT_STEPS_MAX) {
      throw new ChatTemplateError(`expected the chat template to end within ${CHAT_STEPS_MAX} steps`)
    }
    const result = super.evaluate(statement, environment)
    const items = itemsOf(result)
    this.characters += lengthOf(result)
    this.items += items?.length ?? 0
    if (this.characters > this.charactersMax || this.items > CHAT_ITEMS_MAX) {
      throw new ChatTemplateError(`expected the steps of the chat template to make at most ${this.charactersMax} characters and to look at ${CHAT_ITEMS_MAX} items of lists`)
    }
    if (items != null) {
      this.weigh(result)
    }
    return result
  }

  private weigh (value: JinjaValue): number {
    const known = this.weights.get(value)
    if (known != null) {
      return known
    }
    let units = 0
    for (const item of itemsOf(value) ?? []) {
      // it alone changes, so that it could come to hold itself, or more than was weighed
      if (item.type === NAMESPACE) {
        throw new ChatTemplateError('expected the chat template to keep no namespace in a list, a dictionary or a namespace')
      }
      units += ITEM_UNITS + (itemsOf(item) == null ? lengthOf(item) : this.weigh(item))
    }
    if (units > CHAT_VALUE_UNITS_MAX) {
      throw new ChatTemplateError(`expected the chat template to make lists of at most ${CHAT_VALUE_UNITS_MAX} units, ${ITEM_UNITS} for each item`)
    }
    if (value.type !== NAMESPACE) {
      this.weights.set(value, units)
    }
    return units
  }
}

const NAMESPACE = 'NamespaceValue'

function itemsOf ({ value }: JinjaValue): JinjaValue[] | undefined {
  if (value instanceof Map) {
    return [...value.values()]
  }
  return Array.isArray(value) ? value : undefined
}

function lengthOf ({ value }: JinjaValue): number {
  return typeof value === 'string' ? value.length : 0
}
