import { useId } from 'react'

import type { Scope } from '../api'
import { t } from '../texts'

interface Props {
  scopes: readonly Scope[]
  chosen: readonly Scope[]
  onChange: (chosen: Scope[]) => void
  error: string | undefined
}

/** What a token may do: each scope with what it means. */
export function ScopeBoxes({ scopes, chosen, onChange, error }: Props) {
  const id = useId()
  const toggle = (scope: Scope) => onChange(scopes.filter((s) => (s === scope) !== chosen.includes(s)))
  return (
    <fieldset aria-describedby={error ? `${id}-error` : undefined}>
      <legend className="mb-1.5 text-sm font-medium">{t.tokens.scopesTitle}</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {scopes.map((scope) => (
          <label key={scope} className="grid cursor-pointer grid-cols-[1rem_1fr] content-start gap-x-2.5 rounded-lg border border-line p-3 text-sm font-medium has-checked:border-accent has-checked:bg-soft">
            <input
              type="checkbox"
              name="scopes"
              value={scope}
              checked={chosen.includes(scope)}
              onChange={() => toggle(scope)}
              aria-describedby={`${id}-${scope}`}
              className="mt-0.5 size-4 accent-accent"
            />
            {t.tokens.scopes[scope]}
            <span id={`${id}-${scope}`} className="col-start-2 font-normal text-muted">
              {t.tokens.scopeTexts[scope]}
            </span>
          </label>
        ))}
      </div>
      {error && (
        <p id={`${id}-error`} className="mt-1.5 text-sm text-bad">
          {error}
        </p>
      )}
    </fieldset>
  )
}
