import type { QuoteView } from '../../../interface/index.ts'
import type { ReactNode } from 'react'

/** Where words stand in the data, with the text around them. */
export function Quote ({ quote: { text, before, after } }: { quote: Pick<QuoteView, 'text' | 'before' | 'after'> }): ReactNode {
  return <q className='quote'>{before}<mark>{text}</mark>{after}</q>
}
