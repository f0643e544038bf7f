import { useId, type ReactNode } from 'react'

export interface Labels {
  label: string
  hint?: ReactNode
  error?: string | undefined
}

/** What ties an input to its label, hint and error. */
export interface Tied {
  id: string
  'aria-invalid': true | undefined
  'aria-describedby': string | undefined
}

/** The look of an input, a list to choose from, and a text of several lines. */
export const inputLook = (error?: string) =>
  `w-full min-w-0 rounded-lg border bg-surface px-3 text-base outline-offset-0 placeholder:text-muted ${error ? 'border-bad' : 'border-edge'}`

/** A labelled input, with its hint, or in the hint's place its error. */
export function Labelled({ label, hint, error, children }: Labels & { children(tied: Tied): ReactNode }) {
  const id = useId()
  const described = [hint && !error && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div className="grid min-w-0 content-start gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({ id, 'aria-invalid': error ? true : undefined, 'aria-describedby': described || undefined })}
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
