"""Certificates: generators of equivariance that data or a network surely have, up to a stated defect."""
