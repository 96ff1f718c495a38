"""The HTTP service and its page: a front that speaks HTTP, and workers that work.

The front (`api`, `guard`, `store`, `worker_pool`) loads neither TensorFlow nor a
decoder of pictures. Each worker (`worker`, `handlers`) is a process of its own with
one Retoucher; it gets what a client sent as bytes, in `frames` that are JSON and bytes
and nothing that could run.
"""
