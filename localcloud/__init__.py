"""AWS on this machine: moto, the services moto lacks, and the gaps in it closed.

It learns an application from its SAM template, as AWS does, and imports nothing of it.
"""
