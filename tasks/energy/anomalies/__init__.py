"""What is wrong in a series: spikes, flat lines, level shifts, missing data, a rising base load, counter resets."""
