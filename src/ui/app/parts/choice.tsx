import { useId } from 'react'
import type { ReactNode } from 'react'

interface ChoiceProps {
  type: 'radio' | 'checkbox'
  name: string
  value: string
  checked: boolean
  disabled?: boolean
  title: string
  children: ReactNode
  onChange(checked: boolean): void
}

/** A radio button or checkbox with room to say what it means. */
export function Choice ({ type, name, value, checked, disabled, title, children, onChange }: ChoiceProps): ReactNode {
  const id = useId()

  return (
    <label className='choice' data-checked={checked} data-disabled={disabled}>
      <input type={type} name={name} value={value} checked={checked} disabled={disabled} aria-label={title} aria-describedby={id} onChange={event => { onChange(event.currentTarget.checked) }} />
      <span>
        <b>{title}</b>
        <span className='sub' id={id}>{children}</span>
      </span>
    </label>
  )
}
