"""Networks as files for small computers: written, read by their own runtimes, and measured there.

export     a run's network as TFLite or ONNX, in full, half or int8 precision
card       what such a file says of itself: labels, input, where it comes from
runtimes   such a file, and a Keras one, as something that answers
measure    size, latency, memory and lost accuracy of each form of a run
worker     the process in which one file is measured
report     the table of it, and its image
"""
