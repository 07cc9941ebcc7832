// The gateway serves this path from the package uplot.
import uPlot from 'uplot';

export default uPlot;
