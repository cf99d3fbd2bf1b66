import { Component, type ReactNode } from 'react'
import { Empty, Page } from '../parts/Page'

/** A view that fails must not take the others, and what they know, with it. */
export class Fault extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {}

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children
    return (
      <Page title="This view failed">
        <Empty>{this.state.error.message.slice(0, 300)}</Empty>
        <p><button type="button" onClick={() => this.setState({ error: undefined })}>Try again</button></p>
      </Page>
    )
  }
}
