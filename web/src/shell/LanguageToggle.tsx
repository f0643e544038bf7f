import { chooseLanguage, languages, type Language } from '../language'
import { locale } from '../messages'
import { Icon } from '../ui/Icon'

/** Goes to the next language; the button has its name. */
export function LanguageToggle({ className, icon = false }: { className: string; icon?: boolean }) {
  const all = Object.keys(languages) as Language[]
  const next = all[(all.indexOf(locale) + 1) % all.length]!
  return (
    <button type="button" lang={next} className={className} onClick={() => chooseLanguage(next)}>
      {icon && <Icon name="language" />}
      {languages[next]}
    </button>
  )
}
