import { useId, useState, type ComponentProps } from 'react'

import { m } from '../messages'
import { IconButton } from './Button'

interface Props extends ComponentProps<'input'> {
  label: string
  hint?: string
  error?: string | undefined
}

/** A labelled input, its hint and its error; a password can be shown. */
export function Field({ label, hint, error, type = 'text', ...rest }: Props) {
  const id = useId()
  const [shown, setShown] = useState(false)
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <div className="relative">
        <input
          id={id}
          type={shown ? 'text' : type}
          aria-invalid={error ? true : undefined}
          aria-describedby={described || undefined}
          className={`h-11 w-full rounded-lg border bg-surface px-3 read-only:bg-sunken read-only:text-muted text-base outline-offset-0 placeholder:text-muted ${error ? 'border-bad' : 'border-edge'} ${type === 'password' ? 'pr-11' : ''}`}
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
      {hint && !error && (
        <p id={`${id}-hint`} className="text-sm text-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="text-sm text-bad">
          {error}
        </p>
      )}
    </div>
  )
}
