"""The shipped question: how many crimes would scaling up prescribed heroin avoid?"""
