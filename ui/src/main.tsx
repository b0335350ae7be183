import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/shell.css';
import './styles/query.css';
import './styles/charts.css';
import './styles/dialogs.css';
import './styles/traces.css';
import './styles/trace.css';
import './styles/compare.css';
import './styles/logs.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { forgetEarly, onKey } from './state/keys.ts';

addEventListener('keydown', onKey);
addEventListener('pointerdown', forgetEarly);
render(<App />, document.getElementById('app') as HTMLElement);
