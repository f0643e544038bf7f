import { useState, type ComponentProps } from 'react'

import { m } from '../messages'
import { IconButton } from './Button'
import { inputLook, Labelled, type Labels } from './Labelled'

/** A labelled input, its hint and its error; a password can be shown. */
export function Field({ label, hint, error, type = 'text', className = '', ...rest }: Labels & ComponentProps<'input'>) {
  const [shown, setShown] = useState(false)
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(tied) => (
        <div className="relative">
          <input
            type={shown ? 'text' : type}
            className={`h-11 read-only:bg-sunken read-only:text-muted ${inputLook(error)} ${type === 'password' ? 'pr-11' : ''} ${className}`}
            {...tied}
            {...rest}
          />
          {type === 'password' && (
            <IconButton
              icon={shown ? 'eyeOff' : 'eye'}
              label={shown ? m.account.hidePassword : m.account.showPassword}
              aria-pressed={shown}
              onClick={() => setShown(!shown)}
              className="absolute top-1 right-1"
            />
          )}
        </div>
      )}
    </Labelled>
  )
}
