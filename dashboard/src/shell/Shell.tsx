import { Suspense, useLayoutEffect, type ReactNode } from 'react'
import { Link, Route, Switch, useLocation } from 'wouter'
import { Empty, Loading, Page } from '../parts/Page'
import { claimsOf, identityOf, type Credential, type CredentialActions } from '../session/credential'
import { Connection } from './Connection'
import { Fault } from './Fault'
import { VIEWS } from './routes'
import css from './shell.module.css'
import { useTheme } from './theme'

export function Shell({ credential, actions }: { credential: Credential; actions: CredentialActions }): ReactNode {
  const [location] = useLocation()
  const identity = identityOf(credential)
  // Another view begins at its top.
  useLayoutEffect(() => {
    window.scrollTo(0, 0)
  }, [location])
  return (
    <div className={css.shell}>
      <a className={css.skip} href="#view" onClick={skip}>To the content</a>
      <header className={css.top}>
        <Link href="/" className={css.brand}><img src="./icon.svg" alt="" width="24" height="24" />Hubbub</Link>
        <Visitor credential={credential} actions={actions} />
      </header>
      <Connection key={identity} />
      <nav className={css.nav} aria-label="Views">
        {VIEWS.map(({ name, sign, path }) => name && (
          <Link key={path} href={path} className={css.way} aria-current={isAt(location, path) ? 'page' : undefined}>
            <span aria-hidden="true">{sign}</span>{name}
          </Link>
        ))}
      </nav>
      <Fault key={`${identity} ${location}`}>
        <Suspense fallback={<Loading what="the view" />}>
          <Switch>
            {VIEWS.map(({ path, Content }) => <Route key={path} path={path}><Content /></Route>)}
            <Route><Page title="Nothing here"><Empty>There is no such view. <Link href="/">The fleet</Link> is the first one.</Empty></Page></Route>
          </Switch>
        </Suspense>
      </Fault>
    </div>
  )
}

function Visitor({ credential, actions }: { credential: Credential; actions: CredentialActions }): ReactNode {
  const [theme, turn] = useTheme()
  const { sub, projects } = claimsOf(credential.token)
  const named = projects.filter((one) => one !== '*')
  const known = credential.project && !named.includes(credential.project) ? [credential.project, ...named] : named
  return (
    <div className={css.visitor}>
      {known.length > 1 && (
        <select aria-label="Project" value={credential.project ?? known[0]} onChange={(event) => actions.choose(event.target.value)}>
          {known.map((one) => <option key={one}>{one}</option>)}
        </select>
      )}
      {sub && <bdi className={css.subject} title="Signed in as">{sub}</bdi>}
      <button type="button" className="plain" onClick={turn} aria-label={`Colours: ${theme}. Change`}>{theme === 'light' ? '☀' : theme === 'dark' ? '☾' : '◐'}</button>
      {credential.token && <button type="button" className="plain" onClick={actions.signOut}>Sign out</button>}
    </div>
  )
}

/** The address is the route's: the fragment cannot be used for the jump. */
function skip(event: { preventDefault(): void }): void {
  event.preventDefault()
  document.querySelector<HTMLElement>('#view h1')?.focus()
}

function isAt(location: string, path: string): boolean {
  return path === '/' ? location === '/' || location.startsWith('/agents') : location.startsWith(path)
}
