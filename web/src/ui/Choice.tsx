import type { ComponentProps } from 'react'

import { Icon } from './Icon'
import { inputLook, Labelled, type Labels } from './Labelled'

interface Props extends Labels, ComponentProps<'select'> {
  /** Value and text of each. */
  options: readonly (readonly [value: string, text: string])[]
}

/** A labelled choice of one from a list. */
export function Choice({ label, hint, error, options, className = '', ...rest }: Props) {
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(tied) => (
        <div className="relative">
          <select className={`h-11 appearance-none truncate pr-9 ${inputLook(error)} ${className}`} {...tied} {...rest}>
            {options.map(([value, text]) => (
              <option key={value} value={value} className="bg-surface text-ink">
                {text}
              </option>
            ))}
          </select>
          <Icon name="chevron" className="pointer-events-none absolute top-3.5 right-3 size-4 text-muted" />
        </div>
      )}
    </Labelled>
  )
}
