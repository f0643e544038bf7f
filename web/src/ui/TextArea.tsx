import type { ComponentProps } from 'react'

import { inputLook, Labelled, type Labels } from './Labelled'

/** A labelled text of several lines. */
export function TextArea({ label, hint, error, className = '', ...rest }: Labels & ComponentProps<'textarea'>) {
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(tied) => <textarea rows={4} className={`py-2 ${inputLook(error)} ${className}`} {...tied} {...rest} />}
    </Labelled>
  )
}
